"""Which flowers arrive: the mix of classes of a window, estimated from answers that may be wrong.

Black-box shift estimation (Lipton, Wang & Smola 2018, "Detecting and Correcting for Label Shift
with Black Box Predictors"), with probabilities in the place of labels: if only the mix has
changed, each class still gets the answers it got on the held-out photos, and the mean answer of a
window is a mixture of those. Solving for the mixture gives the mix.
"""

import numpy as np
from scipy.special import ndtri

# Photos over which votes may hang together; bursts that last longer are days.
LAGS = 15
# Singular values below this share of the largest are noise: two classes that no answer tells apart.
LEAST_SINGULAR = 0.02


def one_hot(truth, n_classes):
    """Rows of zeros with a one in the place of the class, (m, n_classes) float64."""
    return (truth[:, None] == np.arange(n_classes)).astype(float)


def class_means(reference, truth, values):
    """Mean of values of held-out photos, class by class; zeros for a class that has none.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
        Probabilities; only its width is used.
    truth : ndarray of shape (m,), int
    values : ndarray of shape (m, d)

    Returns
    -------
    ndarray of shape (n_classes, d)
    """
    member = one_hot(truth, reference.shape[1])
    return member.T @ values / np.maximum(member.sum(axis=0), 1)[:, None]


def votes(reference, truth, probabilities):
    """Turn answers into votes whose mean is the mix, whatever the mix is.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
        Probabilities on held-out photos.
    truth : ndarray of shape (m,), int
        Index of their class.
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Sum 1, single votes may be below 0. Over the held-out photos of a class the votes are 1 for
        it and 0 for the others, on average.
    """
    answers = class_means(reference, truth, reference)
    return probabilities @ np.linalg.pinv(answers, rcond=LEAST_SINGULAR)


def design_effect(values, ends):
    """How many photos of a stream say as much as one that is independent (Kish 1965).

    One and twice the sum of the autocorrelations: bursts of a class raise the variance of a mean
    by so much. The columns are looked at together.

    Parameters
    ----------
    values : ndarray of shape (..., n, d)
        In the order of time; sums are exact only if their mean is near 0.
    ends : sequence of int, of length t
        How many photos had come, from few to many.

    Returns
    -------
    ndarray of shape (..., t), >= 1
        Of all photos up to each end.
    """
    if not len(ends):
        return np.ones((*values.shape[:-2], 0))
    ends = np.asarray(ends, int)
    values, starts = values[..., : ends[-1], :], np.append(0, ends[:-1])
    # Sums of all values before each, and of all.
    total = np.zeros((*values.shape[:-2], ends[-1] + 1, values.shape[-1]))
    np.cumsum(values, axis=-2, out=total[..., 1:, :])

    def products(one, other):
        return np.einsum("...d,...d->...", one, other)

    def upto(x):
        return np.cumsum(np.add.reduceat(x, starts, axis=-1), axis=-1)

    # Each value, times the sum of those up to LAGS before it.
    with_earlier = products(values, total[..., :-1, :])
    with_earlier[..., LAGS:] -= products(values[..., LAGS:, :], total[..., : -1 - LAGS, :])
    # The same, each less the mean up to that end.
    lags = np.arange(1, LAGS + 1)[:, None]
    later, sooner = np.minimum(lags, ends), np.maximum(ends - lags, 0)
    crossed = total[..., sooner, :] - total[..., later, :]
    whole = total[..., ends, :]
    crossed, mean = crossed.sum(axis=-3) + LAGS * whole, whole / ends[:, None]
    lagged = upto(with_earlier) - products(crossed, mean)
    lagged += sooner.sum(axis=0) * products(mean, mean)
    squares = upto(products(values, values))
    variance = squares - products(whole, mean)
    some = variance > 1e-9 * squares
    return np.maximum(1, 1 + 2 * np.divide(lagged, variance, np.zeros(variance.shape), where=some))


def changes(reference, truth, windows):
    """How much larger or smaller the share of each class is than among the held-out photos.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
    truth : ndarray of shape (m,), int
    windows : ndarray of shape (k, n, n_classes)
        Probabilities.

    Returns
    -------
    change : ndarray of shape (k, n_classes)
        Difference of shares.
    noise : ndarray of shape (k, n_classes)
        Its standard deviation, of the window and of the held-out photos together; bursts in the
        window count (`design_effect`).
    """
    held, seen = votes(reference, truth, reference), votes(reference, truth, windows)
    bursts = design_effect(seen - held.mean(axis=0), [seen.shape[1]])
    noise = np.sqrt(held.var(axis=0) / len(held) + seen.var(axis=1) * bursts / seen.shape[1])
    return seen.mean(axis=1) - held.mean(axis=0), noise


def sure(n_classes, alpha):
    """Give the deviations that all classes stay within, two-sided (Bonferroni)."""
    return float(ndtri(1 - alpha / (2 * n_classes)))


def reweighted(truth, n_classes, change):
    """Weights of the held-out photos that give them the mix of a window.

    Parameters
    ----------
    truth : ndarray of shape (m,), int
    n_classes : int
    change : ndarray of shape (k, n_classes)
        As of `changes`; a share below 0 counts as 0.

    Returns
    -------
    ndarray of shape (k, m), sum 1
    """
    share = one_hot(truth, n_classes).mean(axis=0)
    ratio = np.maximum(share + change, 0) / np.where(share > 0, share, 1)
    weights = ratio[:, truth]
    total = weights.sum(axis=1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1), 1 / len(truth))
