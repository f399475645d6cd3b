"""What days do to the mix of classes: the photos of a day share its swing."""

import numpy as np

from flowers.drift.history import sums


class Days:
    """The usual mix of a stream, at the end of every ``STEP`` photos; a long day counts as few.

    Parameters
    ----------
    votes : History
        Of the votes.
    day : ndarray of shape (n,), int
        On which each photo came; never falls.
    swing : float
        Standard deviation of the share of a class from day to day.

    Attributes
    ----------
    mean : ndarray of shape (t + 1, n_classes)
        Of the votes of the held-out photos and of the stream before and at each end, less that of
        the held-out ones.
    of_photo, of_day : ndarray of shape (t + 1,)
        Its variance, in those of a photo and of a day.
    """

    def __init__(self, votes, day, swing):
        known, self.ends = votes.known, votes.ends
        self.day = np.unique(day[: len(votes.stream)], return_inverse=True)[1].ravel()
        begins = np.flatnonzero(np.diff(self.day, prepend=-1))
        self.begins = np.append(begins, len(self.day))
        # Many photos of a day say little more of the usual mix than some do.
        share = swing**2 * (1 - 1 / known.shape[1]) / max(known.var(axis=0).mean(), 1e-12)
        upto = sums(votes.stream)

        def weighed(start, stop):
            length = stop - start
            weight = 1 / (1 + length * share)
            photos = weight * length
            return np.column_stack(
                [weight[:, None] * (upto[stop] - upto[start]), photos, weight * photos, photos**2]
            )

        # Each end comes after whole days and a part of one.
        place = np.append(0, self.ends)
        whole = np.searchsorted(self.begins[1:], place, side="right")
        told = sums(weighed(begins, self.begins[1:]))[whole]
        told += weighed(self.begins[whole], place)
        mean, (photos, squared, days) = told[:, :-3], told[:, -3:].T
        total = len(known) + photos
        self.mean = mean / total[:, None]
        self.of_photo, self.of_day = (len(known) + squared) / total**2, days / total**2

    def shares(self, length):
        """Sum over the days of the newest photos of the squares of their shares, (j,)."""
        ends = self.ends[self.ends >= length]
        found = np.zeros(len(ends))
        first, last = self.day[ends - length], self.day[ends - 1]
        for k in range(int((last - first).max(initial=-1)) + 1):
            at = np.minimum(first + k, len(self.begins) - 2)
            inside = np.minimum(self.begins[at + 1], ends)
            inside -= np.maximum(self.begins[at], ends - length)
            found += np.where(first + k <= last, inside / length, 0) ** 2
        return found
