"""Performance check: whether accuracy dropped, from predictions whose true label was reported."""

import numpy as np
from scipy.special import ndtri

DROP = "drop"
NO_DROP = "no drop"
IMPROVEMENT = "improvement"
UNDECIDED = "unknown"
# Probability to detect a drop of the size that is tested for, with as many labels as are needed.
POWER = 0.8
MAX_LABELS = 100_000


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
    """Test whether accuracy dropped or improved, each by Fisher's exact test, one-sided.

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
        from scipy.stats import hypergeom  # takes half a second, and labels are rare

        fixed = m + n, right + reference_right, n  # margins of the table
        p_value = float(hypergeom.cdf(right, *fixed))
        if p_value <= alpha:
            status = DROP
        elif hypergeom.sf(right - 1, *fixed) <= alpha:
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
