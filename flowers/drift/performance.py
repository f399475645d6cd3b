"""Performance check: whether accuracy dropped, from predictions whose true label was reported."""

import numpy as np
from scipy.special import gammaln, ndtri

DROP = "drop"
NO_DROP = "no drop"
IMPROVEMENT = "improvement"
UNDECIDED = "unknown"
# Probability to detect a drop of the size that is tested for, with as many labels as are needed.
POWER = 0.8
MAX_LABELS = 100_000
LEVEL = 0.95  # of intervals
Z = ndtri((1 + LEVEL) / 2)


def compute_fisher_p_value(correct, n, reference_correct, m):
    """One-sided p-value of Fisher's exact test that accuracy is not lower than before.

    Parameters
    ----------
    correct, n, reference_correct, m : int
        Correct ones of n recent predictions, and of m on the reference set.
    """
    right = correct + reference_correct
    total = m + n
    k = np.arange(max(0, n - (total - right)), correct + 1)
    logs = _log_choose(right, k) + _log_choose(total - right, n - k) - _log_choose(total, n)
    return float(min(1.0, np.exp(logs).sum()))


def _log_choose(n, k):
    return gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1)


def compute_labels_needed(accuracy, m, max_drop, alpha):
    """Compute how many labels detect an accuracy drop of `max_drop` with probability ``POWER``.

    Parameters
    ----------
    accuracy, m : float, int
        Accuracy on the reference set, and its size; if that is too small, the result is None.
    max_drop, alpha : float
        Drop, and level of the one-sided test.
    """
    n = np.arange(10, MAX_LABELS)
    after = max(accuracy - max_drop, 0.0)
    pooled = (accuracy * m + after * n) / (m + n)
    spread = ndtri(1 - alpha) * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    enough = spread + ndtri(POWER) * np.sqrt(after * (1 - after) / n) <= max_drop
    return int(n[enough.argmax()]) if enough.any() else None


def check_performance(correct, reference_correct, max_drop, alpha):
    """Test whether accuracy dropped or improved.

    Parameters
    ----------
    correct, reference_correct : ndarray of shape (n,), (m,), bool
        Whether each labelled prediction is correct.
    max_drop : float
        Accuracy drop that must be excluded before the status is "no drop".
    alpha : float
        Level of each one-sided test.

    Returns
    -------
    dict
        ``status`` ("drop", "no drop", "improvement" or "unknown"); ``labelled``; ``accuracy`` and
        ``p_value``, None without labels; ``reference_accuracy``; ``labels_needed``: how many more
        labels decide, None if no number does.
    """
    n = len(correct)
    m = len(reference_correct)
    right = int(correct.sum())
    reference_right = int(reference_correct.sum())
    needed = compute_labels_needed(reference_right / m, m, max_drop, alpha)
    status = UNDECIDED
    p_value = None
    if n:
        p_value = compute_fisher_p_value(right, n, reference_right, m)
        if p_value <= alpha:
            status = DROP
        elif compute_fisher_p_value(n - right, n, m - reference_right, m) <= alpha:
            status = IMPROVEMENT
        elif needed is not None and n >= needed:
            status = NO_DROP
    missing = None if needed is None else max(0, needed - n)
    return {
        "status": status,
        "labelled": n,
        "accuracy": right / n if n else None,
        "reference_accuracy": reference_right / m,
        "p_value": p_value,
        "labels_needed": missing if status == UNDECIDED else 0,
    }
