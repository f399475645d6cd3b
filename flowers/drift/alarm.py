"""Tests of a window of answers against those on the held-out photos.

Two-sample tests of what the model says (black-box shift detection): Rabanser, Günnemann & Lipton
2019, "Failing Loudly", where Kolmogorov-Smirnov on each output with a correction for their number
finds shifts with the fewest photos.
"""

import numpy as np
from scipy.special import chdtrc, kolmogorov


def first_of_groups(groups):
    """Row of the first photo of each group: twins are not independent, the tests assume it.

    Parameters
    ----------
    groups : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (n_groups,), int64, sorted
    """
    return np.sort(np.unique(groups, return_index=True)[1])


def windows_of(count, size):
    """Cut a log into windows from its beginning: what was compared once stays as it was.

    Parameters
    ----------
    count : int
        Predictions in the log.
    size : int
        Predictions in a window.

    Returns
    -------
    list of (start, stop)
        Oldest first; the newest predictions that fill no window yet are in none.
    """
    return [(start, start + size) for start in range(0, count - size + 1, size)]


def kolmogorov_smirnov(reference, windows, weights=None):
    """Two-sample Kolmogorov-Smirnov test of each column of each window.

    Parameters
    ----------
    reference : ndarray of shape (m, d)
    windows : ndarray of shape (k, n, d)
    weights : ndarray of shape (k, m), optional
        How much each row of the reference counts beside a window, sum 1; equal if not given.

    Returns
    -------
    p_values : ndarray of shape (k, d)
        By the limiting distribution at (sqrt(e) + 0.12 + 0.11 / sqrt(e)) D, e = mn / (m + n)
        (Stephens 1970): close to the exact one from e = 4 on. With weights, m is the number of
        equal ones that are worth as much, 1 / sum of squares (Kish 1965).
    effects : ndarray of shape (k, d)
        D, the largest difference of the distribution functions, range [0, 1].
    """
    (m, d), (k, n, _) = reference.shape, windows.shape
    weights = np.full((k, m), 1 / m) if weights is None else weights
    steps = np.arange(n + 1) / n
    effects = np.empty((k, d))
    for j in range(d):
        order, values = np.argsort(reference[:, j]), np.sort(windows[:, :, j], axis=1)
        ordered = reference[order, j]
        share = np.concatenate([np.zeros((k, 1)), np.cumsum(weights[:, order], axis=1)], axis=1)
        # The difference is extreme at a value of the window, or just below one.
        sides = (np.searchsorted(ordered, values, side) for side in ("right", "left"))
        upto, below = (np.take_along_axis(share, place, axis=1) for place in sides)
        effects[:, j] = np.maximum(steps[1:] - upto, below - steps[:-1]).max(axis=1)
    m = 1 / np.square(weights).sum(axis=1, keepdims=True)
    root = np.sqrt(m * n / (m + n))
    return kolmogorov((root + 0.12 + 0.11 / root) * effects), effects


def chi_square(reference, windows):
    """Pearson's chi-square test that window and reference have the same shares of classes.

    Parameters
    ----------
    reference : ndarray of shape (n_classes,)
        Counts.
    windows : ndarray of shape (k, n_classes)
        Counts; no row is all zeros.

    Returns
    -------
    p_values : ndarray of shape (k,)
    effects : ndarray of shape (k,)
        Half of the L1 difference of the shares (total variation), range [0, 1].
    """
    m, n = float(reference.sum()), windows.sum(axis=1, keepdims=True)
    both = reference + windows
    seen = both > 0
    # The 2 x n_classes table in closed form: both rows' (observed - expected)^2 / expected.
    difference = (n * reference - m * windows) ** 2
    statistic = np.divide(difference, both, out=np.zeros(seen.shape), where=seen).sum(axis=1)
    statistic /= m * n[:, 0]
    effects = np.abs(reference / m - windows / n).sum(axis=1) / 2
    # The tail of the chi-square distribution; scipy.stats has it too, and takes a second to load.
    return chdtrc(np.maximum(seen.sum(axis=1) - 1, 1), statistic), effects


def holm(p_values):
    """P-values adjusted for their number (Holm 1979), along the last axis.

    Parameters
    ----------
    p_values : ndarray of shape (..., t)

    Returns
    -------
    ndarray of shape (..., t)
        At most alpha where the family-wise error rate is at most alpha.
    """
    t = p_values.shape[-1]
    order = np.argsort(p_values, axis=-1)
    ordered = np.take_along_axis(p_values, order, axis=-1) * np.arange(t, 0, -1)
    ordered = np.minimum(np.maximum.accumulate(ordered, axis=-1), 1)
    adjusted = np.empty_like(ordered)
    np.put_along_axis(adjusted, order, ordered, axis=-1)
    return adjusted


def counts(probabilities):
    """How often each class is the answer; shape (..., n, n_classes) to (..., n_classes)."""
    answers = probabilities.argmax(axis=-1)[..., None]
    return (answers == np.arange(probabilities.shape[-1])).sum(axis=-2)


def compare(reference, windows):
    """Test each class probability and the answered labels of each window.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
        Probabilities on held-out photos, one of each group.
    windows : ndarray of shape (k, n, n_classes)

    Returns
    -------
    p_values, effects : ndarray of shape (k, n_classes + 1)
        `kolmogorov_smirnov` of each class, then `chi_square`; p-values adjusted by `holm`.
    """
    p, effects = kolmogorov_smirnov(reference, windows)
    p_labels, label_effects = chi_square(counts(reference), counts(windows))
    return holm(np.column_stack([p, p_labels])), np.column_stack([effects, label_effects])
