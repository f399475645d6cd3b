"""The verdict of labels: whether what has changed does harm."""

import numpy as np
from scipy.special import gammaln, ndtri

HARMFUL, HARMLESS, BETTER, UNDECIDED = "harmful", "harmless so far", "better", "unknown"
# Chance to see the harm that is looked for, with as many labels as are said to be needed.
POWER = 0.8
MOST_LABELS = 100_000


def chance(right, n, right_before, before):
    """One-sided p-value of so few right answers, if accuracy is what it was (Fisher's exact test).

    Parameters
    ----------
    right, n : int
        `right` out of `n` of late.
    right_before, before : int
        The same on held-out photos.

    Returns
    -------
    float
        Probability of at most `right` among the `n`, given how many are right altogether.
    """
    both, total = right + right_before, before + n
    k = np.arange(max(0, n - (total - both)), right + 1)
    logs = _choose(both, k) + _choose(total - both, n - k) - _choose(total, n)
    return float(min(1.0, np.exp(logs).sum()))


def _choose(n, k):
    return gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1)


def needed(accuracy, before, harm, alpha):
    """Labels that show a loss of accuracy of `harm` with a chance of ``POWER``.

    Parameters
    ----------
    accuracy : float
        On held-out photos.
    before : int
        Number of those.
    harm, alpha : float

    Returns
    -------
    int or None
        None if no number does: the held-out photos are too few.
    """
    n = np.arange(10, MOST_LABELS)
    after = max(accuracy - harm, 0.0)
    pooled = (accuracy * before + after * n) / (before + n)
    spread = ndtri(1 - alpha) * np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / before))
    enough = spread + ndtri(POWER) * np.sqrt(after * (1 - after) / n) <= harm
    return int(n[enough.argmax()]) if enough.any() else None


def verdict(correct, correct_before, harm, alpha):
    """Judge the answers whose labels came.

    Parameters
    ----------
    correct : ndarray of shape (n,), bool
        Of the labelled answers.
    correct_before : ndarray of shape (m,), bool
        Of the held-out photos.
    harm : float
        Loss of accuracy that has to be seen before anything is called harmless.
    alpha : float
        Of the one-sided test.

    Returns
    -------
    dict
        ``word``, ``labelled``, ``accuracy`` and ``p_value`` (None without labels),
        ``labels_missing``: how many more it takes, None if no number is enough.
    """
    n, m = len(correct), len(correct_before)
    right, right_before = int(correct.sum()), int(correct_before.sum())
    enough = needed(right_before / m, m, harm, alpha)
    told = {"word": UNDECIDED, "labelled": n, "accuracy": right / n if n else None}
    told |= {"reference_accuracy": right_before / m, "p_value": None}
    if n:
        told["p_value"] = chance(right, n, right_before, m)
        if told["p_value"] <= alpha:
            told["word"] = HARMFUL
        elif chance(n - right, n, m - right_before, m) <= alpha:
            told["word"] = BETTER
        elif enough is not None and n >= enough:
            told["word"] = HARMLESS
    missing = None if enough is None else max(0, enough - n)
    return told | {"labels_missing": missing if told["word"] == UNDECIDED else 0}
