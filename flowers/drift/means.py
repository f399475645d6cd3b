"""The newest photos against all before them: means of neutral scores, and of votes.

Hotelling's T-squared (Hotelling 1931) at every ``STEP`` photos, of the newest 100 and more at a
time. They are compared with the held-out photos and the stream before: far more than the held-out
ones alone. What traffic does is counted in: bursts by their autocorrelation, and days by how far
their mix may swing.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from flowers.drift.days import Days
from flowers.drift.history import RIDGE, STEP, History
from flowers.drift.mix import one_hot

LENGTHS = 100, 150, 250, 400, 600, 900, 1350, 2000, 3000
# Votes of fewer bursts than these are far from normal.
LEAST_BURSTS = 150
# What is tolerated of a day is so many standard deviations of its swing.
SWINGS = 1.5
# Deviations beyond the tolerance in each of so many windows in a row, on the same side. Days swing
# to and fro: the more windows, the less each has to tell.
RUNS = {2: 3.35, 3: 1.9, 4: 1.75}


@dataclass(frozen=True)
class Means:
    """Tests of the newest photos, as a stream went on.

    Attributes
    ----------
    ends : ndarray of shape (t,), int
        Photos that had come.
    scores, mix : ndarray of shape (t, l)
        p-values for each of ``LENGTHS``: of the neutral scores, and of the votes. 1 where there is
        no test.
    window : int
        Photos of each window of a run.
    off : ndarray of shape (t, r)
        For each of ``RUNS``, by how many standard deviations the class that is most surely off is
        beyond the tolerance in the window where it is least so; -inf where there is no such run.
    """

    ends: np.ndarray
    scores: np.ndarray
    mix: np.ndarray
    window: int
    off: np.ndarray

    @classmethod
    def of(cls, truth, known, stream, day, params):
        """Test a stream.

        Parameters
        ----------
        truth : ndarray of shape (m,), int
            Of the held-out photos.
        known, stream : tuple of ndarray of shape (m, d), (m, n_classes); (n, d), (n, n_classes)
            As of ``flowers.drift.neutral.Ranked.values``.
        day : ndarray of shape (n,), int
            On which each photo came; never falls.
        params : dict
            ``window``; ``proportion_tolerance``.
        """
        tolerance = params["proportion_tolerance"]
        member = one_hot(truth, known[1].shape[1])
        explained = _explained(known[0], known[1] - member)
        scores = History(known[0], stream[0])
        votes = History(*(chosen - scored @ explained for scored, chosen in (known, stream)))
        days = Days(votes, day, tolerance / SWINGS)
        axes, (spread, directions) = scores.axes(), np.linalg.eigh(votes.spread)
        loose, swing = 1 / np.maximum(member.sum(axis=0), 1), (tolerance / SWINGS) ** 2
        p_values = np.ones((2, len(votes.ends), len(LENGTHS)))
        for i, length in enumerate(LENGTHS):
            (newest, before), (chosen, _) = scores.newest(length), votes.newest(length)
            (of_scores, mark), (of_votes, _) = scores.before(length), votes.before(length)
            count, seen = len(chosen), len(truth) + votes.ends[votes.marks[mark]]
            total = len(truth) + STEP * np.arange(count)[:, None]
            moved = chosen / length - days.mean[:count]
            # What a mix that has moved explains is known only as far as held-out photos tell.
            noise = 1 / total[:, 0] + of_scores / length + moved**2 @ loose
            along = _along(newest / length - before / total, axes[mark]) ** 2 / noise[:, None]
            noise = spread[mark] * (days.of_photo[:count] + of_votes / length)[:, None]
            noise += swing * (days.of_day[:count] + days.shares(length))[:, None]
            swung = _along(moved, directions[mark]) ** 2 / np.maximum(noise, 1e-12)
            p_values[0, len(p_values[0]) - count :, i] = _p_value(along, 0, seen)
            p = _p_value(swung, 1, seen)
            p_values[1, len(p_values[1]) - count :, i] = np.where(
                length < LEAST_BURSTS * of_votes, 1, p
            )
        window = STEP * max(1, round(params["window"] / STEP))
        off = [_run(votes, days, swing, count, window, tolerance) for count in RUNS]
        return cls(votes.ends, *p_values, window, np.stack(off, axis=1))

    def first_low(self, name, level):
        """Find where a test first is at or below a level, and the photos that it is about.

        Parameters
        ----------
        name : {"scores", "mix"}
        level : float or ndarray of shape (l,)

        Returns
        -------
        (since, end) or None
            Rows of the stream, `end` not among them.
        """
        ratio = getattr(self, name) / level
        low = (ratio <= 1).any(axis=1)
        if not low.any():
            return None
        at = int(low.argmax())
        end = int(self.ends[at])
        return end - LENGTHS[int(ratio[at].argmin())], end

    def first_run(self):
        """Find the first run of windows in which a class is off; as of `first_low`."""
        enough = self.off >= list(RUNS.values())
        if not enough.any():
            return None
        at = int(enough.any(axis=1).argmax())
        end, count = int(self.ends[at]), list(RUNS)[int(enough[at].argmax())]
        return end - count * self.window, end

    def scores_of(self, start, stop):
        """p-value of the neutral scores of most of the photos from `start` to `stop`.

        1 if these are too few.
        """
        at = stop // STEP - 1
        fits = [i for i, length in enumerate(LENGTHS) if length <= STEP * (at + 1) - start]
        return float(self.scores[at, fits[-1]]) if fits else 1.0


def _explained(scores, noise):
    """Weights of scores (m, d) that foretell the noise of votes (m, n_classes), (d, n_classes).

    Neutral scores are 0 on average, whatever the mix: without them the votes are less noisy, and
    their means have nothing to do with those of the scores.
    """
    size = len(scores) * np.maximum(scores.var(axis=0), 1e-12)
    return np.linalg.solve(scores.T @ scores + RIDGE * np.diag(size), scores.T @ noise)


def _along(rows, axes):
    """Rows (j, d) in the directions of the columns of their axes (j, d, d)."""
    return np.matmul(rows[:, None], axes)[:, 0]


def _p_value(squares, fixed, seen):
    """p-value of Hotelling's T-squared, (j,).

    Parameters
    ----------
    squares : ndarray of shape (j, d)
        They sum up to it.
    fixed : int
        How many of them say nothing new.
    seen : ndarray of shape (j,)
        Photos that the spread is of.
    """
    d = squares.shape[1] - fixed
    rest = np.maximum(seen - d, 1)
    return fdtrc(d, rest, squares.sum(axis=1) * rest / (seen - 1) / d)


def _run(votes, days, swing, count, window, tolerance):
    """Of each end, how surely a class is off in all of so many windows before it, (t,)."""
    steps, whole = window // STEP, votes.newest(count * window)[0]
    found, (k, c) = np.full(len(votes.ends), -np.inf), whole.shape
    bursts, mark = votes.before(count * window)
    noise = np.einsum("kii->ki", votes.spread)[mark]
    noise = noise * (days.of_photo[:k] + bursts / window)[:, None]
    noise += swing * (1 - 1 / c) * days.of_day[:k, None]
    noise = np.sqrt(np.maximum(noise, 1e-12))
    newest, sides = votes.newest(window)[0] / window, np.full((2, k, c), np.inf)
    for i in range(count):
        apart = newest[i * steps : i * steps + k] - days.mean[:k]
        for side, sign in zip(sides, (-1, 1), strict=True):
            np.minimum(side, (sign * apart - tolerance) / noise, out=side)
    found[len(found) - k :] = sides.max(axis=(0, 2))
    return found
