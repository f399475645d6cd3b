"""Two-sample tests of windows of predictions against the reference set.

Tests on the outputs of the model: Rabanser, Günnemann & Lipton 2019, "Failing Loudly: An Empirical
Study of Methods for Detecting Dataset Shift", where Kolmogorov-Smirnov tests of each output with a
correction for their number find shifts with the fewest samples.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, kolmogorov

from flowers.base.tables import round_floats
from flowers.drift import label_shift

COLUMNS = """start end predictions p_value effect
    differs proportion_change proportion_changed""".split()


def cut_windows(count, size):
    """Cut `count` predictions into full windows, a list of (start, stop) from the oldest.

    They start with the stream, so that later predictions move no window.
    """
    return [(start, start + size) for start in range(0, count - size + 1, size)]


def run_kolmogorov_smirnov(reference, windows, weights=None):
    """Two-sample Kolmogorov-Smirnov test of each column of each window.

    Parameters
    ----------
    reference, windows : ndarray of shape (m, d), (k, n, d)
    weights : ndarray of shape (k, m), optional
        Weight of each reference row for each window, rows sum to 1; equal by default.

    Returns
    -------
    p_values : ndarray of shape (k, d)
        From the limiting distribution at (sqrt(e) + 0.12 + 0.11 / sqrt(e)) D with e = mn / (m + n)
        (Stephens 1970), close to the exact test from e = 4 on. With weights, m is the effective
        sample size 1 / sum of squared weights (Kish 1965).
    effects : ndarray of shape (k, d)
        D, the largest difference of the distribution functions, range [0, 1].
    """
    (m, d) = reference.shape
    (k, n, _) = windows.shape
    weights = np.full((k, m), 1 / m) if weights is None else weights
    steps = np.arange(n + 1) / n
    effects = np.empty((k, d))
    for j in range(d):
        order = np.argsort(reference[:, j])
        values = np.sort(windows[:, :, j], axis=1)
        ordered = reference[order, j]
        share = np.concatenate([np.zeros((k, 1)), np.cumsum(weights[:, order], axis=1)], axis=1)
        # The difference is extreme at a value of the window, or just below one.
        sides = (np.searchsorted(ordered, values, side) for side in ("right", "left"))
        at_value, below_value = (np.take_along_axis(share, place, axis=1) for place in sides)
        effects[:, j] = np.maximum(steps[1:] - at_value, below_value - steps[:-1]).max(axis=1)
    m = 1 / np.square(weights).sum(axis=1, keepdims=True)
    root = np.sqrt(m * n / (m + n))
    return kolmogorov((root + 0.12 + 0.11 / root) * effects), effects


def run_chi_square(reference, windows):
    """Pearson's chi-square test that windows and reference have the same class proportions.

    Parameters
    ----------
    reference, windows : ndarray of shape (n_classes,), (k, n_classes)
        Counts; no row is all zeros.

    Returns
    -------
    p_values, effects : ndarray of shape (k,)
        The effect is the total variation distance of the proportions, range [0, 1].
    """
    m = float(reference.sum())
    n = windows.sum(axis=1, keepdims=True)
    both = reference + windows
    present = both > 0
    # The 2 x n_classes table in closed form: both rows' (observed - expected)^2 / expected.
    difference = (n * reference - m * windows) ** 2
    statistic = np.divide(difference, both, out=np.zeros(present.shape), where=present).sum(axis=1)
    statistic /= m * n[:, 0]
    effects = np.abs(reference / m - windows / n).sum(axis=1) / 2
    # The tail of the chi-square distribution. scipy.stats has it too, but loads for a second.
    return chdtrc(np.maximum(present.sum(axis=1) - 1, 1), statistic), effects


def adjust_holm(p_values):
    """Adjust p-values, shape (..., t), for their number along the last axis (Holm 1979)."""
    t = p_values.shape[-1]
    order = np.argsort(p_values, axis=-1)
    ordered = np.take_along_axis(p_values, order, axis=-1) * np.arange(t, 0, -1)
    ordered = np.minimum(np.maximum.accumulate(ordered, axis=-1), 1)
    adjusted = np.empty_like(ordered)
    np.put_along_axis(adjusted, order, ordered, axis=-1)
    return adjusted


def count_predicted(probabilities):
    """Count how often each class is predicted; shape (..., n, n_classes) to (..., n_classes)."""
    labels = probabilities.argmax(axis=-1)[..., None]
    return (labels == np.arange(probabilities.shape[-1])).sum(axis=-2)


def compare_windows(reference, windows):
    """Test each class probability and the predicted classes of each window.

    Parameters
    ----------
    reference, windows : ndarray of shape (m, n_classes), (k, n, n_classes)
        Probabilities; reference rows are one per near-duplicate group.

    Returns
    -------
    p_values, effects : ndarray of shape (k, n_classes + 1)
        `run_kolmogorov_smirnov` of each class, then `run_chi_square`; adjusted by `adjust_holm`.
    """
    p_values, effects = run_kolmogorov_smirnov(reference, windows)
    p_labels, label_effects = run_chi_square(count_predicted(reference), count_predicted(windows))
    p_values = adjust_holm(np.column_stack([p_values, p_labels]))
    return p_values, np.column_stack([effects, label_effects])


def compare_adjusted(reference, windows, tolerance=1.0):
    """Test windows against the reference set reweighted to the class proportions of each window.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group.
    windows : ndarray of shape (k, n, n_classes)
        Probabilities.
    tolerance : float in [0, 1]
        No class proportion is reweighted by more; a larger change counts as a difference.

    Returns
    -------
    p_values, effects, change, noise : ndarray of shape (k, n_classes)
        See `Windows`.
    """
    if not len(windows):
        return (np.empty((0, windows.shape[2])),) * 4
    change, noise = label_shift.estimate_changes(reference, windows)
    allowed = np.clip(change, -tolerance, tolerance)
    weights = label_shift.compute_weights(reference.truth, allowed)
    p_values, effects = run_kolmogorov_smirnov(reference.probabilities, windows, weights)
    return adjust_holm(p_values), effects, change, noise


@dataclass(frozen=True)
class Windows:
    """The full windows of a stream compared with the reference set, oldest first.

    Attributes
    ----------
    spans : list of (start, stop)
    p_values, effects : ndarray of shape (k, n_classes)
        Kolmogorov-Smirnov tests of each class probability and their distances; adjusted for label
        shift within the tolerance, and for the number of classes (Holm).
    change, noise : ndarray of shape (k, n_classes)
        Change of each class proportion and its standard deviation.
    """

    spans: list
    p_values: np.ndarray
    effects: np.ndarray
    change: np.ndarray
    noise: np.ndarray

    @classmethod
    def from_stream(cls, reference, probabilities, size, tolerance):
        """Compare all full windows of a stream with the reference set.

        Parameters
        ----------
        probabilities : ndarray of shape (n, n_classes)
        size : int
            Predictions in a window.
        reference, tolerance
            As in `compare_adjusted`.
        """
        spans = cut_windows(len(probabilities), size)
        n_classes = probabilities.shape[1]
        inside = probabilities[: len(spans) * size].reshape(len(spans), size, n_classes)
        return cls(spans, *compare_adjusted(reference, inside, tolerance))

    def find_differing(self, alpha):
        """Find windows that differ beyond a tolerated label shift, (k,) bool."""
        return (self.p_values <= alpha).any(axis=1)

    def find_changed_proportions(self, alpha):
        """Find classes whose proportion changed significantly: -1, 0 or 1, (k, n_classes)."""
        critical = label_shift.compute_critical_value(self.change.shape[1], alpha)
        return np.sign(self.change) * (np.abs(self.change) > critical * self.noise)

    def to_rows(self, times, params):
        """Build the rows of ``monitoring/drift/windows.csv``, a dict a window with ``COLUMNS``."""
        differing = self.find_differing(params["alpha"])
        changed = self.find_changed_proportions(params["alpha"]).any(axis=1)
        return [
            {
                "start": times[start],
                "end": times[stop - 1],
                "predictions": stop - start,
                "p_value": round_floats(self.p_values[i].min()),
                "effect": round_floats(self.effects[i].max()),
                "differs": int(differing[i]),
                "proportion_change": round_floats(np.abs(self.change[i]).max()),
                "proportion_changed": int(changed[i]),
            }
            for i, (start, stop) in enumerate(self.spans)
        ]
