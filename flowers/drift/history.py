"""What a stream was like before its newest photos: sums, spread and bursts."""

import numpy as np

from flowers.drift.mix import LAGS, design_effect

STEP = 50
# Spread and bursts are those before the newest photos, but of at least so many from the beginning:
# a change is not to make itself likely.
LEAST = 500
# Added to correlations: scores may be nearly sums of one another.
RIDGE = 0.01


def sums(values):
    """Sum of all rows before each, and of all: (n, ...) to (n + 1, ...)."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


class History:
    """Values of held-out photos and of a stream, summed up at the end of every ``STEP`` photos.

    Parameters
    ----------
    known : ndarray of shape (m, d)
        Of the held-out photos.
    stream : ndarray of shape (n, d)
        What fills no step yet is left out.

    Attributes
    ----------
    known, stream : ndarray of shape (m, d), (t * STEP, d)
        Less the mean of the held-out photos.
    ends : ndarray of shape (t,), int
    upto : ndarray of shape (t + 1, d)
        Sums of the stream before and at each end.
    bursts : ndarray of shape (t,)
        Design effects, and what they may be more than that.
    marks : ndarray of shape (k,), int
        Indices of the ends at which the spread is looked at: of all at first, then twice as far
        each time.
    spread : ndarray of shape (k, d, d)
        Covariance of the held-out photos and the stream together, at each mark.
    """

    def __init__(self, known, stream):
        middle, count = known.mean(axis=0), len(stream) // STEP
        self.known, self.stream = known - middle, stream[: count * STEP] - middle
        blocks = self.stream.reshape(count, STEP, known.shape[1])
        self.ends = STEP * np.arange(1, count + 1)
        self.upto = sums(blocks.sum(axis=1))
        # What so many photos say of bursts is uncertain by about so much.
        doubt = np.sqrt(2 * (1 + 2 * LAGS) / (self.ends * known.shape[1]))
        self.bursts = design_effect(self.stream, self.ends) * (1 + doubt)
        first = LEAST // STEP
        marks = [*range(first - 1), *(2**k * first - 1 for k in range(32))]
        self.marks = np.array([mark for mark in marks if mark < count], int)
        size = (len(known) + self.ends[self.marks])[:, None, None]
        middle = self.upto[self.marks + 1] / size[:, 0]
        self.spread = self._squares() / size - middle[:, :, None] * middle[:, None, :]

    def _squares(self):
        """Sum up products to each mark, (k, d, d)."""
        parts = np.split(self.stream, self.ends[self.marks])[: len(self.marks)]
        found = np.empty((len(parts), *2 * self.known.shape[1:]))
        for part, into in zip(parts, found, strict=True):
            np.matmul(part.T, part, out=into)
        return self.known.T @ self.known + np.cumsum(found, axis=0)

    def axes(self):
        """Directions (columns) in which the spread is 1, one apart from another: (k, d, d)."""
        size = np.sqrt(np.maximum(np.einsum("kii->ki", self.spread), 1e-12))
        likeness = self.spread / size[:, :, None] / size[:, None, :]
        spread, axes = np.linalg.eigh(likeness + RIDGE * np.eye(size.shape[1]))
        return axes / size[:, :, None] / np.sqrt(spread)[:, None, :]

    def newest(self, length):
        """Sum up the newest photos and all before them, at each end that has so many.

        Parameters
        ----------
        length : int
            How many are the newest ones; a multiple of ``STEP``.

        Returns
        -------
        newest, before : ndarray of shape (j, d)
        """
        before = self.upto[: max(len(self.upto) - length // STEP, 0)]
        return self.upto[length // STEP :] - before, before

    def before(self, length):
        """Tell what spread and bursts hold for the newest photos, as of `newest`.

        Returns
        -------
        bursts : ndarray of shape (j,)
        mark : ndarray of shape (j,), int
            Index of ``marks``.
        """
        at = np.arange(length // STEP - 1, len(self.ends))
        then = np.minimum(at, np.maximum(at - length // STEP, LEAST // STEP - 1))
        return self.bursts[then], np.searchsorted(self.marks, then, side="right") - 1
