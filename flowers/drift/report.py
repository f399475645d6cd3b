"""What is told of a window of answers beside the alarm: shares, confidence, accuracy."""

import numpy as np
from scipy.special import ndtri

from flowers.drift.alarm import counts
from flowers.log.record import UNKNOWN

DRAWS = 2000
LEVEL = 0.95
Z = ndtri((1 + LEVEL) / 2)


def l1_noise(shares, m, n, seed):
    """Say what the L1 difference of class shares stays below in 95 % of cases with no shift at all.

    Parameters
    ----------
    shares : ndarray of shape (n_classes,)
        Of the reference; both samples are drawn from them.
    m, n : int
        Size of the reference and of the window.
    seed : int

    Returns
    -------
    float
    """
    rng = np.random.default_rng(seed)
    first, second = rng.multinomial(m, shares, DRAWS) / m, rng.multinomial(n, shares, DRAWS) / n
    return float(np.quantile(np.abs(first - second).sum(axis=1), LEVEL))


def accuracy(probabilities, truth):
    """Accuracy where the true label is known.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
    truth : ndarray of shape (n,), int
        Index of the class, or ``UNKNOWN``.

    Returns
    -------
    dict
        ``labelled``, ``coverage``, and ``accuracy`` with its 95 % Wilson interval, None where
        nothing is labelled.
    """
    known = truth != UNKNOWN
    labelled = int(known.sum())
    found = {"labelled": labelled, "coverage": labelled / len(truth)}
    if not labelled:
        return found | dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"))
    right = int((probabilities[known].argmax(axis=1) == truth[known]).sum())
    low, high = wilson(right, labelled)
    return found | {"accuracy": right / labelled, "accuracy_low": low, "accuracy_high": high}


def wilson(right, n):
    """Interval of a share at ``LEVEL`` (Wilson 1927).

    Parameters
    ----------
    right, n : int
        `right` out of `n`, which is positive.

    Returns
    -------
    low, high : float
    """
    share, shrink = right / n, 1 + Z**2 / n
    centre = (share + Z**2 / (2 * n)) / shrink
    half = Z / shrink * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return float(centre - half), float(centre + half)


def describe(reference, probabilities, truth, classes, seed):
    """Give the figures of a window against the reference.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
        Probabilities on held-out photos, one of each group.
    probabilities : ndarray of shape (n, n_classes)
        Not empty.
    truth : ndarray of shape (n,), int
    classes : sequence of str
    seed : int
        Of `l1_noise`.

    Returns
    -------
    dict
        ``predictions``; ``shares`` of the classes among the answers, ``l1`` from those of the
        reference, ``l1_noise``; ``confidence`` (mean), ``confidence_drop`` with its 95 % interval
        (normal, unequal variances); and what `accuracy` gives.
    """
    m, n = len(reference), len(probabilities)
    expected, shares = counts(reference) / m, counts(probabilities) / n
    before, now = reference.max(axis=1), probabilities.max(axis=1)
    drop = float(before.mean() - now.mean())
    margin = Z * np.sqrt(before.var() / m + now.var() / n)
    return {
        "predictions": n,
        "shares": dict(zip(classes, shares.tolist(), strict=True)),
        "l1": float(np.abs(shares - expected).sum()),
        "l1_noise": l1_noise(expected, m, n, seed),
        "confidence": float(now.mean()),
        "confidence_drop": drop,
        "confidence_drop_low": drop - margin,
        "confidence_drop_high": drop + margin,
    } | accuracy(probabilities, truth)
