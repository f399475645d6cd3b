"""Tests of the newest predictions against all before them: Hotelling's T² and run rules.

Hotelling's T² (Hotelling 1931) of the mean scores of the newest ``LENGTHS`` predictions, of all
scores and of the confidence and the typicality alone, at a checkpoint every ``STEP`` predictions,
and run rules of control charts on the class proportions. The
newest predictions are compared with the reference set and the earlier stream together, which are
more than the reference set alone. The variance of each mean allows for dependence in the traffic:
bursts through their autocorrelation, days through a between-day variance of the class proportions.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from flowers.drift.history import RIDGE, STEP, Baseline, History
from flowers.drift.label_shift import encode_one_hot

LENGTHS = 100, 150, 250, 400, 600, 900, 1350, 2000, 3000  # newest predictions, multiples of STEP
# Levels of the T² tests, which are repeated at each checkpoint for years. Fewer predictions are
# tested again more often, so their level is lower, in proportion to the root of the length. Chosen
# on simulated months of other seeds; the member "scores" of false_alarms in
# metrics/drift_power.json and metrics/drift_power_real.json has the rates.
LEVELS = 4.2e-5 * np.sqrt(np.array(LENGTHS) / LENGTHS[-1])
# Standard deviations of a class proportion between days that the tolerated change amounts to.
TOLERATED_SDS = 1.5
# Run rules: windows in a row -> standardised deviation beyond the tolerance that each must have, on
# the same side. Days go up and down, so more windows need less each. Chosen on
# simulated months of other seeds; the member "class_proportions" in the same files has the rates.
RUN_RULES = {2: 3.9, 3: 2.2, 4: 1.4}


@dataclass(frozen=True)
class MeanTests:
    """Tests at each checkpoint of a stream.

    Attributes
    ----------
    ends : ndarray of shape (t,), int
        Predictions before each checkpoint.
    p_values : ndarray of shape (t, l)
        Smallest p-value of the T² tests (of all scores, and of the confidence and the typicality
        alone) for each of ``LENGTHS``; 1 where there are fewer predictions.
    windows : ndarray of shape (t,), int
        Predictions in each window of a run.
    deviations : ndarray of shape (t, r)
        For each of ``RUN_RULES`` the largest standardised deviation beyond the tolerance that one
        class has in every window of the run; -inf without a full run.
    """

    ends: np.ndarray
    p_values: np.ndarray
    windows: np.ndarray
    deviations: np.ndarray

    @classmethod
    def from_scores(cls, truth, reference, stream, day, params, alone=(slice(1),)):
        """Run the tests over a stream.

        Parameters
        ----------
        truth : ndarray of shape (m,), int
            Class indices of the reference set.
        reference, stream : (ndarray of shape (m, d), (m, n_classes)); (n, d), (n, n_classes)
            Adjusted scores and class-proportion estimates, from
            ``flowers.drift.label_shift.ScoreAdjustment.adjust_scores``.
        day : ndarray of shape (n,), int
            Day of each prediction, ascending.
        params : dict
            ``window`` and ``proportion_tolerance``.
        alone : sequence of slice
            Columns of the scores that are tested alone, too.
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
        # A shift that moves hardly anything else is detected sooner in one dimension.
        parts = [[adjusted[:, columns] for adjusted, _ in (reference, stream)] for columns in alone]
        tests = [scores, *(History(*part) for part in parts)]
        p_values = [
            np.minimum.reduce([_run_t2(test, proportions, baseline, member, n) for test in tests])
            for n in LENGTHS
        ]
        # A window covers a day at least: two windows of the same day deviate together.
        steps = np.maximum(params["window"], baseline.day_length[1:]) / STEP
        steps = np.maximum(1, np.rint(steps).astype(int))
        runs = [
            _apply_run_rule(proportions, baseline, day_sd**2, (count, steps), tolerance)
            for count in RUN_RULES
        ]
        windows = STEP * steps
        return cls(scores.ends, np.stack(p_values, axis=1), windows, np.stack(runs, axis=1))

    @property
    def ratios(self):
        """p-values relative to their levels, ndarray of shape (t, lengths)."""
        return self.p_values / LEVELS

    def find_first_low(self):
        """Find the first checkpoint where a p-value is at most its level.

        Returns
        -------
        (start, end) or None
            Rows of the stream that the test compares with the others.
        """
        ratio = self.ratios
        return self._find_first((ratio <= 1).any(axis=1), np.array(LENGTHS)[ratio.argmin(axis=1)])

    def find_first_run(self):
        """Find the first run of windows that meets a run rule; returns as `find_first_low`."""
        met = self.deviations >= list(RUN_RULES.values())
        lengths = self.windows * np.array(list(RUN_RULES))[met.argmax(axis=1)]
        return self._find_first(met.any(axis=1), lengths)

    def _find_first(self, met, lengths):
        if not met.any():
            return None
        end = int(self.ends[met.argmax()])
        return end - int(lengths[met.argmax()]), end

    def get_p_value(self, start, stop):
        """Return the smallest p-value of the longest T² tests from `start` to `stop`, else 1."""
        checkpoint = min(stop // STEP, len(self.ends)) - 1
        longest = STEP * (checkpoint + 1) - start
        fits = [i for i, length in enumerate(LENGTHS) if length <= longest]
        return float(self.p_values[checkpoint, fits[-1]]) if fits else 1.0


def _run_t2(scores, proportions, baseline, member, length):
    """Run the T² test of the newest `length` predictions; p-values, (t,)."""
    stop = np.arange(length // STEP, len(scores.ends) + 1)
    start = stop - length // STEP
    effects, mark = scores.get_dependence(start, stop)
    total = len(member) + STEP * start
    change = proportions.sum_between(start, stop) / length - baseline.mean[start]
    # The adjustment of scores for a label shift is as uncertain as the class means of the
    # reference set, once for the scores and once for the estimated proportions.
    per_class = 2 / np.maximum(member.sum(axis=0), 1)
    noise = 1 / total + effects / length + change**2 @ per_class
    difference = scores.sum_between(start, stop) / length - scores.sums[start] / total[:, None]
    axes = scores.whitening[mark]
    squares = np.square(np.matmul(difference[:, None], axes)[:, 0]).sum(axis=1) / noise
    p_values = np.ones(len(scores.ends))
    dimensions = difference.shape[1]
    sample = len(member) + scores.ends[scores.marks[mark]]
    rest = np.maximum(sample - dimensions, 1)
    scaled = squares * rest / (sample - 1) / dimensions
    p_values[len(p_values) - len(stop) :] = fdtrc(dimensions, rest, scaled)
    return p_values


def _fit_control_variate(scores, noise):
    """Fit the ridge regression of the noise of class-proportion estimates on the adjusted scores.

    The adjusted scores have mean 0 under any label shift, so the residuals (a control variate)
    estimate the same proportions with less noise. Returns weights, (d, n_classes).
    """
    size = len(scores) * np.maximum(scores.var(axis=0), 1e-12)
    return np.linalg.solve(scores.T @ scores + RIDGE * np.diag(size), scores.T @ noise)


def _apply_run_rule(proportions, baseline, day_variance, run, tolerance):
    """Compute the deviations of `MeanTests` for a run (windows, checkpoints in each), (t,)."""
    count, steps = run
    deviations = np.full(len(proportions.ends), -np.inf)
    stop = 1 + np.flatnonzero(count * steps <= np.arange(1, len(steps) + 1))
    steps = steps[stop - 1]
    start = stop - count * steps
    effects, mark = proportions.get_dependence(start, stop)
    n_classes = proportions.reference.shape[1]
    noise = np.einsum("kii->ki", proportions.covariance)[mark]
    noise = noise * (baseline.photo_share[start] + effects / steps / STEP)[:, None]
    # All windows of a run within one day share its deviation.
    days = baseline.day_share[start] + baseline.find_single_days(start, stop)
    noise += day_variance * (1 - 1 / n_classes) * days[:, None]
    noise = np.sqrt(np.maximum(noise, 1e-12))
    side = np.full((2, len(stop), n_classes), np.inf)
    for i in range(count):
        sums = proportions.sum_between(start + i * steps, start + (i + 1) * steps)
        change = sums / (STEP * steps)[:, None] - baseline.mean[start]
        above = (change * np.array([-1, 1])[:, None, None] - tolerance) / noise
        side = np.minimum(side, above)
    deviations[stop - 1] = side.max(axis=(0, 2), initial=-np.inf)
    return deviations
