"""What a stream was like before its newest photos: sums, spread, bursts and days."""

import numpy as np

from flowers.drift.mix import LAGS

STEP = 50
# Spread and bursts are those before the newest photos, but of at least so many from the beginning:
# a change is not to make itself likely.
LEAST = 500


def sums(values):
    """Sum of all rows before each, and of all: (n, ...) to (n + 1, ...)."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


class History:
    """Sums over a stream, at the end of every ``STEP`` photos.

    Parameters
    ----------
    known : ndarray of shape (m, d)
        Values of the held-out photos, the votes last.
    stream : ndarray of shape (n, d)
    day : ndarray of shape (n,), int
        Never falls.
    swing : float
        Standard deviation of the share of a class from day to day.
    n_classes : int
    """

    def __init__(self, known, stream, day, swing, n_classes):
        count = len(stream) // STEP
        self.ends, self.n_classes = STEP * np.arange(1, count + 1), n_classes
        middle = known.mean(axis=0)
        self.known, stream = known - middle, stream[: count * STEP] - middle
        # What a day does to the shares: they swing, and still sum to 1.
        self.swings = swing**2 * (np.eye(n_classes) - 1 / n_classes)
        self.upto = sums(stream)
        blocks = stream.reshape(count, STEP, stream.shape[1])
        squares = self.known.T @ self.known + np.cumsum(
            np.einsum("tki,tkj->tij", blocks, blocks), axis=0
        )
        size = (len(known) + self.ends)[:, None, None]
        middle = self.upto[self.ends]
        self.spread = squares / size - middle[:, :, None] * middle[:, None, :] / size**2
        self.bursts = self._design_effects(stream)
        root = np.sqrt(self.bursts)
        self.burst_spread = self.spread * root[:, :, None] * root[:, None, :]
        self.day = np.unique(day[: count * STEP], return_inverse=True)[1].ravel()
        self._weigh_days(swing)

    def _design_effects(self, stream):
        """Design effect of each value up to each end (Kish 1965), (t, d), at least 1."""
        upto, last, before = self.upto, self.ends - 1, np.arange(len(stream))
        count = np.minimum(before, LAGS)[:, None]
        earlier = upto[before] - upto[before - count[:, 0]]
        mean = upto[self.ends] / self.ends[:, None]
        # Products of each value with those before it, both less the mean up to that end.
        products, own, others, pairs = (
            np.cumsum(x, axis=0)[last]
            for x in (stream * earlier, count * stream, earlier, count * 1.0)
        )
        lagged = products - mean * (own + others) + pairs * mean**2
        own = np.cumsum(stream**2, axis=0)[last] - self.ends[:, None] * mean**2
        found = 1 + 2 * np.divide(lagged, own, out=np.zeros(own.shape), where=own > 0)
        return np.maximum(1, found)

    def _weigh_days(self, swing):
        """Sum up votes before every ``STEP`` photos, a long day counting as few photos.

        Photos of a day share its swing, so that many of them say little more than some do.
        """
        votes = self.known[:, -self.n_classes :]
        per_photo = swing**2 * (1 - 1 / self.n_classes) / max(votes.var(axis=0).mean(), 1e-12)
        begins = np.flatnonzero(np.diff(self.day, prepend=-1))
        lengths = np.diff(np.append(begins, len(self.day)))
        weight = 1 / (1 + lengths * per_photo)
        whole = self.upto[np.append(begins[1:], len(self.day))] - self.upto[begins]
        full = [sums(x) for x in (weight[:, None] * whole, weight * lengths)]
        full += [sums(x) for x in (weight**2 * lengths, (weight * lengths) ** 2)]
        place = np.append(0, self.ends)
        of = np.append(self.day, self.day[-1:] + 1)[place] if len(self.day) else place
        begun = np.append(begins, len(self.day))[of]
        part = place - begun
        share = 1 / (1 + part * per_photo)
        self.weighed = full[0][of] + share[:, None] * (self.upto[place] - self.upto[begun])
        self.weight = len(self.known) + full[1][of] + share * part
        self.squared = len(self.known) + full[2][of] + share**2 * part
        self.by_day = full[3][of] + (share * part) ** 2
        self.begins = np.append(begins, len(self.day))

    def usual(self, ago):
        """Mean of the votes of the held-out photos and of a stream, and its noise.

        Parameters
        ----------
        ago : ndarray of shape (k,), int
            How many times ``STEP`` photos of the stream.

        Returns
        -------
        mean : ndarray of shape (k, n_classes)
            Less that of the held-out photos.
        own, days : ndarray of shape (k,)
            Its variance, in those of a photo and of a day.
        """
        weight = self.weight[ago]
        mean = self.weighed[ago, -self.n_classes :] / weight[:, None]
        return mean, self.squared[ago] / weight**2, self.by_day[ago] / weight**2

    def before(self, at, length):
        """Index of the end whose spread and bursts hold for the `length` photos up to others."""
        return np.minimum(at, np.maximum(at - length // STEP, LEAST // STEP - 1))

    def _day_share(self, length):
        """Sum over the days of the newest photos of the squares of their shares, (k,)."""
        ends = self.ends[self.ends >= length]
        found = np.zeros(len(ends))
        begins = self.begins
        first, last = self.day[ends - length], self.day[ends - 1]
        for k in range(int((last - first).max(initial=-1)) + 1):
            at = np.minimum(first + k, len(begins) - 2)
            inside = np.minimum(begins[at + 1], ends) - np.maximum(begins[at], ends - length)
            found += np.where(first + k <= last, inside / length, 0) ** 2
        return found

    def compared(self, length):
        """Compare the newest photos with all before them.

        Parameters
        ----------
        length : int
            How many are the newest ones.

        Returns
        -------
        apart : ndarray of shape (k, d)
            Difference of the means, at each end that has so many photos before it.
        spread : ndarray of shape (k, d, d)
            Its covariance, if nothing has changed.
        """
        m, c = len(self.known), self.n_classes
        at = np.flatnonzero(self.ends >= length)
        ends = self.ends[at]
        start, then = ends - length, self.before(at, length)
        newest, total = (self.upto[ends] - self.upto[start]) / length, (m + start)[:, None]
        usual, own, days = self.usual(start // STEP)
        apart = newest - self.upto[start] / total
        apart[:, -c:] = newest[:, -c:] - usual
        spread = self.spread[then] / total[..., None] + self.burst_spread[then] / length
        own, days = own - 1 / total[:, 0], days + self._day_share(length)
        spread[:, -c:, -c:] += self.spread[then][:, -c:, -c:] * own[:, None, None]
        spread[:, -c:, -c:] += self.swings * days[:, None, None]
        return apart, spread
