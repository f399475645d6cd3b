"""The drift alarm: whether the answers of late look like those on the held-out photos.

Two-sample tests of what the model says (black-box shift detection): Rabanser, Günnemann & Lipton
2019, "Failing Loudly", where Kolmogorov-Smirnov on each output with a correction for their number
finds shifts with the fewest photos.
"""

import numpy as np
from scipy.special import chdtrc, kolmogorov

# Windows in a row that have to differ; one alone may be chance.
CONSECUTIVE = 2


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


def windows_of(count, size, least):
    """Cut a log into windows, back from its end, so that the newest one is whole.

    Parameters
    ----------
    count : int
        Predictions in the log.
    size : int
        Predictions in a window.
    least : int
        The oldest window may have fewer than `size`, but not fewer than this.

    Returns
    -------
    list of (start, stop)
        Oldest first.
    """
    spans = [(max(0, stop - size), stop) for stop in range(count, 0, -size)][::-1]
    return spans[1:] if spans and spans[0][1] - spans[0][0] < least else spans


def kolmogorov_smirnov(reference, windows):
    """Two-sample Kolmogorov-Smirnov test of each column of each window.

    Parameters
    ----------
    reference : ndarray of shape (m, d)
    windows : ndarray of shape (k, n, d)

    Returns
    -------
    p_values : ndarray of shape (k, d)
        By the limiting distribution at (sqrt(e) + 0.12 + 0.11 / sqrt(e)) D, e = mn / (m + n)
        (Stephens 1970): close to the exact one from e = 4 on.
    effects : ndarray of shape (k, d)
        D, the largest difference of the distribution functions, range [0, 1].
    """
    (m, d), (k, n, _) = reference.shape, windows.shape
    steps = np.arange(n + 1) / n
    effects = np.empty((k, d))
    for j in range(d):
        ordered, values = np.sort(reference[:, j]), np.sort(windows[:, :, j], axis=1)
        # The difference is extreme at a value of the window, or just below one.
        above = steps[1:] - np.searchsorted(ordered, values, "right") / m
        below = np.searchsorted(ordered, values, "left") / m - steps[:-1]
        effects[:, j] = np.maximum(above, below).max(axis=1)
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


def differs(p_values, effects, alpha, min_effect):
    """Whether a window differs: some test is significant and its effect large enough to matter.

    Parameters
    ----------
    p_values, effects : ndarray of shape (k, t)
        Adjusted, from `compare`.
    alpha : float in (0, 1)
    min_effect : float in [0, 1]
        Without it every window would differ once it is large enough.

    Returns
    -------
    ndarray of shape (k,), bool
    """
    return ((p_values <= alpha) & (effects >= min_effect)).any(axis=1)


def state(count, differing):
    """Give the word for a log.

    Parameters
    ----------
    count : int
        Predictions of the served model.
    differing : sequence of bool
        Whether each window `differs`, oldest first.

    Returns
    -------
    {"no predictions", "warming up", "ok", "alarm"}
    """
    if not count:
        return "no predictions"
    if len(differing) < CONSECUTIVE:
        return "warming up"
    return "alarm" if all(differing[-CONSECUTIVE:]) else "ok"
