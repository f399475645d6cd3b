"""Tests of the newest predictions against all before them: Hotelling's T² and run rules.

Hotelling's T² (Hotelling 1931) of the means of the newest ``LENGTHS`` predictions, at a checkpoint
every ``STEP`` predictions. The means are compared with the reference set and the earlier stream
together, which are more than the reference set alone. The variance of each mean allows for
dependence in the traffic: bursts through their autocorrelation, days through a between-day
variance of the class proportions.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from flowers.drift.label_shift import LAGS, compute_design_effects, encode_one_hot

# All constants below were chosen on simulated traffic of draws that no table of the docs is from.
STEP = 50  # predictions between checkpoints
LENGTHS = 100, 150, 250, 400, 600, 900, 1350, 2000, 3000  # newest predictions, multiples of STEP
# Covariance and design effects are those before the newest predictions, but of at least these many
# from the start of the stream, so that a change does not inflate its own variance.
MIN_HISTORY = 500
RIDGE = 0.01  # added to correlations: scores may be nearly collinear
# Minimum of independent predictions (length over design effect) in a test of class proportions,
# whose mean over fewer is far from normal.
MIN_INDEPENDENT = 150
# Standard deviations of a class proportion between days that the tolerated change amounts to.
TOLERATED_SDS = 1.5
# Run rules: windows in a row -> standardised deviation beyond the tolerance that each must have, on
# the same side. Days go up and down, so more windows need less each.
RUN_RULES = {2: 3.35, 3: 1.9, 4: 1.75}


def cumulate_rows(values):
    """Sum all rows before each, and all: (n, ...) to (n + 1, ...)."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


class History:
    """Sums, covariance and design effect of a stream at each checkpoint.

    Parameters
    ----------
    reference, stream : ndarray of shape (m, d), (n, d)
        Predictions of the stream that do not fill a step are left out.

    Attributes
    ----------
    reference, stream : ndarray of shape (m, d), (t * STEP, d)
        Minus the mean of the reference set.
    ends : ndarray of shape (t,), int
        Predictions before each checkpoint.
    sums : ndarray of shape (t + 1, d)
        Of the stream, before it and up to each checkpoint.
    design_effects : ndarray of shape (t,)
        Estimates plus their standard error.
    marks : ndarray of shape (k,), int
        Checkpoints at which the covariance is computed: all at first, then at doubling distances.
    covariance : ndarray of shape (k, d, d)
        Of the reference set and the stream together, at each mark.
    """

    def __init__(self, reference, stream):
        centre = reference.mean(axis=0)
        count = len(stream) // STEP
        self.reference = reference - centre
        self.stream = stream[: count * STEP] - centre
        blocks = self.stream.reshape(count, STEP, reference.shape[1])
        self.ends = STEP * np.arange(1, count + 1)
        self.sums = cumulate_rows(blocks.sum(axis=1))
        # Approximate standard error of an autocorrelation sum of this many predictions.
        error = np.sqrt(2 * (1 + 2 * LAGS) / (self.ends * reference.shape[1]))
        self.design_effects = compute_design_effects(self.stream, self.ends) * (1 + error)
        first = MIN_HISTORY // STEP
        marks = [*range(first - 1), *(2**k * first - 1 for k in range(32))]
        self.marks = np.array([mark for mark in marks if mark < count], int)
        size = (len(reference) + self.ends[self.marks])[:, None, None]
        mean = self.sums[self.marks + 1] / size[:, 0]
        products = np.empty((len(self.marks), *2 * reference.shape[1:]))
        parts = np.split(self.stream, self.ends[self.marks])
        for part, out in zip(parts, products, strict=False):  # the last part is after all marks
            np.matmul(part.T, part, out=out)
        products = self.reference.T @ self.reference + np.cumsum(products, axis=0)
        self.covariance = products / size - mean[:, :, None] * mean[:, None, :]

    def compute_whitening(self):
        """Compute axes (columns) along which the covariance is the identity, (k, d, d)."""
        size = np.sqrt(np.maximum(np.einsum("kii->ki", self.covariance), 1e-12))
        correlation = self.covariance / size[:, :, None] / size[:, None, :]
        spread, axes = np.linalg.eigh(correlation + RIDGE * np.eye(size.shape[1]))
        return axes / size[:, :, None] / np.sqrt(spread)[:, None, :]

    def sum_newest(self, length):
        """Sum the newest `length` predictions, and all before, at each checkpoint with that many.

        `length` is a multiple of ``STEP``. Returns newest and before, each (j, d).
        """
        before = self.sums[: max(len(self.sums) - length // STEP, 0)]
        return self.sums[length // STEP :] - before, before

    def get_dependence(self, length):
        """Return design effects and marks (indices of ``covariance``), (j,), before the newest."""
        checkpoints = np.arange(length // STEP - 1, len(self.ends))
        before = np.maximum(checkpoints - length // STEP, MIN_HISTORY // STEP - 1)
        earlier = np.minimum(checkpoints, before)
        mark = np.searchsorted(self.marks, earlier, side="right") - 1
        return self.design_effects[earlier], mark


class Baseline:
    """Usual class proportions of a stream at each checkpoint.

    The predictions of a day share its deviation, so long days are weighted down.

    Parameters
    ----------
    history : History
        Of class-proportion estimates.
    day, day_sd : ndarray of shape (n,), int; float
        Day of each prediction, ascending; standard deviation of a class proportion between days.

    Attributes
    ----------
    mean : ndarray of shape (t + 1, n_classes)
        Of the reference set and the stream before it and up to each checkpoint, minus the mean of
        the reference set.
    photo_share, day_share : ndarray of shape (t + 1,)
        Its variance as multiples of that of a single prediction and of a day.
    """

    def __init__(self, history, day, day_sd):
        reference = history.reference
        self.ends = history.ends
        self.day = np.unique(day[: len(history.stream)], return_inverse=True)[1].ravel()
        starts = np.flatnonzero(np.diff(self.day, prepend=-1))
        self.starts = np.append(starts, len(self.day))
        # Ratio of the variance between days to that of a single prediction.
        ratio = day_sd**2 * (1 - 1 / reference.shape[1])
        ratio = ratio / max(reference.var(axis=0).mean(), 1e-12)
        sums = cumulate_rows(history.stream)

        def weigh_days(start, stop):
            length = stop - start
            weight = 1 / (1 + length * ratio)
            photos = weight * length
            return np.column_stack(
                [weight[:, None] * (sums[stop] - sums[start]), photos, weight * photos, photos**2]
            )

        # Before each checkpoint there are whole days and a part of one.
        checkpoints = np.append(0, self.ends)
        full_days = np.searchsorted(self.starts[1:], checkpoints, side="right")
        totals = cumulate_rows(weigh_days(starts, self.starts[1:]))[full_days]
        totals += weigh_days(self.starts[full_days], checkpoints)
        photos, squared, days = totals[:, -3:].T
        size = len(reference) + photos
        self.mean = totals[:, :-3] / size[:, None]
        self.photo_share = (len(reference) + squared) / size**2
        self.day_share = days / size**2

    def compute_day_shares(self, length):
        """Sum the squared shares of each day in the newest predictions, (j,)."""
        ends = self.ends[self.ends >= length]
        shares = np.zeros(len(ends))
        first = self.day[ends - length]
        last = self.day[ends - 1]
        for k in range(int((last - first).max(initial=-1)) + 1):
            day = np.minimum(first + k, len(self.starts) - 2)
            inside = np.minimum(self.starts[day + 1], ends)
            inside -= np.maximum(self.starts[day], ends - length)
            shares += np.where(first + k <= last, inside / length, 0) ** 2
        return shares


@dataclass(frozen=True)
class MeanTests:
    """Tests at each checkpoint of a stream.

    Attributes
    ----------
    ends : ndarray of shape (t,), int
        Predictions before each checkpoint.
    scores, proportions : ndarray of shape (t, l)
        p-values of each of ``LENGTHS`` for the adjusted scores and for the class proportions; 1
        where there is no test.
    window : int
        Predictions in each window of a run rule.
    deviations : ndarray of shape (t, r)
        For each of ``RUN_RULES`` the largest standardised deviation beyond the tolerance that one
        class has in every window of the run; -inf without a full run.
    """

    ends: np.ndarray
    scores: np.ndarray
    proportions: np.ndarray
    window: int
    deviations: np.ndarray

    @classmethod
    def from_scores(cls, truth, reference, stream, day, params):
        """Run the tests over a stream.

        Parameters
        ----------
        truth : ndarray of shape (m,), int
            Class indices of the reference set.
        reference, stream : (ndarray of shape (m, d), (m, n_classes)); (n, d), (n, n_classes)
            Adjusted scores and class-proportion estimates, from
            ``flowers.drift.label_shift.Population.adjust_scores``.
        day : ndarray of shape (n,), int
            Day of each prediction, ascending.
        params : dict
            ``window`` and ``proportion_tolerance``.
        """
        tolerance = params["proportion_tolerance"]
        day_sd = tolerance / TOLERATED_SDS
        member = encode_one_hot(truth, reference[1].shape[1])
        scores = History(reference[0], stream[0])
        weights = _fit_control_variate(reference[0], reference[1] - member)
        proportions = History(
            *(estimates - adjusted @ weights for adjusted, estimates in (reference, stream))
        )
        baseline = Baseline(proportions, day, day_sd)
        p_values = _run_tests(scores, proportions, baseline, member, day_sd**2)
        window = STEP * max(1, round(params["window"] / STEP))
        runs = [
            _apply_run_rule(proportions, baseline, day_sd**2, (count, window), tolerance)
            for count in RUN_RULES
        ]
        return cls(proportions.ends, *p_values, window, np.stack(runs, axis=1))

    def find_first_low(self, name, level):
        """Find the first checkpoint where a p-value is at most its level.

        Parameters
        ----------
        name : {"scores", "proportions"}
        level : float or ndarray of shape (l,)

        Returns
        -------
        (start, end) or None
            Rows of the stream that the test compares with the others.
        """
        ratio = getattr(self, name) / level
        return self._find_first((ratio <= 1).any(axis=1), np.array(LENGTHS)[ratio.argmin(axis=1)])

    def find_first_run(self):
        """Find the first run of windows that meets a run rule; returns as `find_first_low`."""
        met = self.deviations >= list(RUN_RULES.values())
        lengths = self.window * np.array(list(RUN_RULES))[met.argmax(axis=1)]
        return self._find_first(met.any(axis=1), lengths)

    def _find_first(self, met, lengths):
        if not met.any():
            return None
        end = int(self.ends[met.argmax()])
        return end - int(lengths[met.argmax()]), end

    def get_score_p_value(self, start, stop):
        """p-value of the longest score test from `start` on before `stop`; 1 without one."""
        checkpoint = stop // STEP - 1
        longest = STEP * (checkpoint + 1) - start
        fits = [i for i, length in enumerate(LENGTHS) if length <= longest]
        return float(self.scores[checkpoint, fits[-1]]) if fits else 1.0


def _run_tests(scores, proportions, baseline, member, day_variance):
    """Run the T² tests of all ``LENGTHS``; p-values of scores and of proportions, (t, l) each."""
    axes = scores.compute_whitening()
    variances, directions = np.linalg.eigh(proportions.covariance)
    m = len(member)
    per_class = 1 / np.maximum(member.sum(axis=0), 1)
    p_values = np.ones((2, len(proportions.ends), len(LENGTHS)))
    for i, length in enumerate(LENGTHS):
        newest, before = scores.sum_newest(length)
        estimates, _ = proportions.sum_newest(length)
        score_effects, mark = scores.get_dependence(length)
        effects, _ = proportions.get_dependence(length)
        count = len(estimates)
        sample = m + proportions.ends[proportions.marks[mark]]
        total = m + STEP * np.arange(count)[:, None]
        change = estimates / length - baseline.mean[:count]
        # The adjustment of scores for a label shift is as uncertain as the class means of the
        # reference set.
        noise = 1 / total[:, 0] + score_effects / length + change**2 @ per_class
        squares = _rotate_rows(newest / length - before / total, axes[mark]) ** 2 / noise[:, None]
        p_values[0, len(p_values[0]) - count :, i] = _compute_p_value(squares, 0, sample)
        noise = variances[mark] * (baseline.photo_share[:count] + effects / length)[:, None]
        days = baseline.day_share[:count] + baseline.compute_day_shares(length)
        noise += day_variance * days[:, None]
        squares = _rotate_rows(change, directions[mark]) ** 2 / np.maximum(noise, 1e-12)
        p = np.where(length < MIN_INDEPENDENT * effects, 1, _compute_p_value(squares, 1, sample))
        p_values[1, len(p_values[1]) - count :, i] = p
    return p_values


def _fit_control_variate(scores, noise):
    """Fit the ridge regression of the noise of class-proportion estimates on the adjusted scores.

    The adjusted scores have mean 0 under any label shift, so the residuals (a control variate)
    estimate the same proportions with less noise. Returns weights, (d, n_classes).
    """
    size = len(scores) * np.maximum(scores.var(axis=0), 1e-12)
    return np.linalg.solve(scores.T @ scores + RIDGE * np.diag(size), scores.T @ noise)


def _rotate_rows(rows, axes):
    """Rows (j, d) along the columns of their axes (j, d, d)."""
    return np.matmul(rows[:, None], axes)[:, 0]


def _compute_p_value(squares, dependent, sample):
    """Compute p-values, (j,), of Hotelling's T², the sum of `squares`, (j, d).

    `dependent` of them follow from the others; `sample`, (j,), is the size behind the covariance.
    """
    d = squares.shape[1] - dependent
    rest = np.maximum(sample - d, 1)
    return fdtrc(d, rest, squares.sum(axis=1) * rest / (sample - 1) / d)


def _apply_run_rule(proportions, baseline, day_variance, run, tolerance):
    """Compute the deviations of `MeanTests` for a run (windows, predictions in each), (t,)."""
    count, window = run
    steps = window // STEP
    run_sums, _ = proportions.sum_newest(count * window)
    k, n_classes = run_sums.shape
    deviations = np.full(len(proportions.ends), -np.inf)
    effects, mark = proportions.get_dependence(count * window)
    noise = np.einsum("kii->ki", proportions.covariance)[mark]
    noise = noise * (baseline.photo_share[:k] + effects / window)[:, None]
    noise += day_variance * (1 - 1 / n_classes) * baseline.day_share[:k, None]
    noise = np.sqrt(np.maximum(noise, 1e-12))
    newest = proportions.sum_newest(window)[0] / window
    sides = np.full((2, k, n_classes), np.inf)
    for i in range(count):
        change = newest[i * steps : i * steps + k] - baseline.mean[:k]
        for side, sign in zip(sides, (-1, 1), strict=True):
            np.minimum(side, (sign * change - tolerance) / noise, out=side)
    deviations[len(deviations) - k :] = sides.max(axis=(0, 2))
    return deviations
