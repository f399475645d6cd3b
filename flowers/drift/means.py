"""The newest photos against all before them: means of votes and of neutral scores.

Hotelling's T-squared (Hotelling 1931) at every ``STEP`` photos, of the newest 100 and more at a
time, and runs of windows in which a class stays away or comes too often. They are compared with the
held-out photos and the stream before: far more than the held-out ones alone. What traffic does is
counted in: bursts by their autocorrelation, and days by how far their mix may swing.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from flowers.drift.history import STEP, History
from flowers.drift.martingale import neutral
from flowers.drift.mix import class_means, one_hot, votes

LENGTHS = 100, 150, 250, 400, 600, 900, 1350, 2000, 3000
# Sums of fewer bursts than these are far from normal.
LEAST_BURSTS = 30
# Added to correlations: scores may be nearly sums of one another.
RIDGE = 0.01
# Deviations beyond the tolerance in each of so many windows in a row, on the same side. Days swing
# to and fro: the more windows, the less each has to tell.
RUNS = {2: 3.5, 3: 2.05, 4: 1.9}
# What is tolerated of a day is so many standard deviations of its swing.
SWINGS = 1.5


@dataclass(frozen=True)
class Means:
    """Tests of the newest photos, as a stream went on.

    Attributes
    ----------
    ends : ndarray of shape (t,), int
        Photos that had come.
    scores, answers : ndarray of shape (t, l)
        p-values for each of ``LENGTHS``: of the neutral scores alone, and of these together with
        the votes. 1 where there is no test.
    window : int
        Photos of each window of a run.
    off : ndarray of shape (t, r)
        For each of ``RUNS``, by how many standard deviations the class that is most surely off is
        beyond the tolerance in the window where it is least so; -inf where there is no such run.
    """

    ends: np.ndarray
    scores: np.ndarray
    answers: np.ndarray
    window: int
    off: np.ndarray

    @classmethod
    def of(cls, truth, known, stream, day, knobs):
        """Test a stream.

        Parameters
        ----------
        truth : ndarray of shape (m,), int
            Of the held-out photos.
        known, stream : ndarray of shape (m, d), (n, d)
            As of `values`.
        day : ndarray of shape (n,), int
            On which each photo came; never falls.
        knobs : dict
            ``window``; ``mix_tolerance``.
        """
        tolerance = knobs["mix_tolerance"]
        past = History(known, stream, day, tolerance / SWINGS, known.shape[1] // 2)
        p_values = np.ones((2, len(past.ends), len(LENGTHS)))
        for i, length in enumerate(LENGTHS):
            first = length // STEP - 1
            if first < len(past.ends):
                p_values[:, first:, i] = _squared(past, length, truth)
        window = STEP * max(1, round(knobs["window"] / STEP))
        off = [_run(past, count, window, tolerance) for count in RUNS]
        return cls(past.ends, *p_values, window, np.stack(off, axis=1))

    def first_low(self, name, level):
        """Find where a test first is at or below a level, and the photos that it is about.

        Parameters
        ----------
        name : {"scores", "answers"}
        level : float

        Returns
        -------
        (since, end) or None
            Rows of the stream, `end` not among them.
        """
        p_values = getattr(self, name)
        low = (p_values <= level).any(axis=1)
        if not low.any():
            return None
        at = int(low.argmax())
        end = int(self.ends[at])
        return end - LENGTHS[int(p_values[at].argmin())], end

    def scores_of(self, start, stop):
        """p-value of the neutral scores of most of the photos from `start` to `stop`.

        1 if these are too few.
        """
        at = stop // STEP - 1
        fits = [i for i, length in enumerate(LENGTHS) if length <= STEP * (at + 1) - start]
        return float(self.scores[at, fits[-1]]) if fits else 1.0

    def first_run(self):
        """Find the first run of windows in which a class is off; as of `first_low`."""
        enough = self.off >= list(RUNS.values())
        if not enough.any():
            return None
        at = int(enough.any(axis=1).argmax())
        end, count = int(self.ends[at]), list(RUNS)[int(enough[at].argmax())]
        return end - count * self.window, end


def values(held, probabilities):
    """Give what is averaged of answers: their neutral scores, then their votes.

    Parameters
    ----------
    held : Held
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, 1 + 2 n_classes), float64
    """
    given = held.probabilities, held.truth, probabilities
    return np.concatenate([neutral(*given), votes(*given)], axis=1)


def _squared(past, length, truth):
    """Find p-values (2, k) at each end that has so many photos before it."""
    apart, spread = past.compared(length)
    n, c = past.n_classes, past.n_classes + 1
    # Where the mix has changed, what explains a score is known only as far as held-out photos tell.
    known = past.known[:, :c]
    inside = known - class_means(past.known[:, c:], truth, known)[truth]
    loose = class_means(past.known[:, c:], truth, inside**2)
    loose /= np.maximum(one_hot(truth, n).sum(axis=0), 1)[:, None]
    place = np.arange(c)
    spread[:, place, place] += apart[:, c:] ** 2 @ loose
    # Votes sum to 1: the last one says nothing new.
    apart, spread = apart[:, :-1], spread[:, :-1, :-1]
    size = np.sqrt(np.maximum(np.einsum("kii->ki", spread), 1e-12))
    z = (apart / size)[..., None]
    likeness = spread / size[:, :, None] / size[:, None, :] + RIDGE * np.eye(z.shape[1])
    scores = (z[:, :c] * np.linalg.solve(likeness[:, :c, :c], z[:, :c])).sum(axis=(1, 2))
    answers = (z * np.linalg.solve(likeness, z)).sum(axis=(1, 2))
    then = past.before(np.flatnonzero(past.ends >= length), length)
    few = length < LEAST_BURSTS * past.bursts[then, c:].max(axis=1)
    return chdtrc(c, scores), np.where(few, 1, chdtrc(c + n - 1, answers))


def _run(past, count, window, tolerance):
    """Of each end, how surely a class is off in all of so many windows before it, (t,)."""
    found = np.full(len(past.ends), -np.inf)
    at = np.flatnonzero(past.ends >= count * window)
    start, c = past.ends[at] - count * window, past.n_classes
    then = past.before(at, count * window)
    usual, own, days = past.usual(start // STEP)
    of_photo, of_window = (
        np.einsum("kii->ki", x[then][:, -c:, -c:]) for x in (past.spread, past.burst_spread)
    )
    noise = of_photo * own[:, None] + past.swings[0, 0] * days[:, None] + of_window / window
    noise = np.sqrt(np.maximum(noise, 1e-12))
    sides = np.full((2, len(at), c), np.inf)
    for i in range(count):
        first = start + i * window
        newest = (past.upto[first + window] - past.upto[first])[:, -c:] / window
        for side, sign in zip(sides, (-1, 1), strict=True):
            np.minimum(side, (sign * (newest - usual) - tolerance) / noise, out=side)
    found[at] = sides.max(axis=(0, 2))
    return found
