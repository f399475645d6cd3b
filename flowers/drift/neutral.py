"""What is compared of an answer: scores, apart from what the mix of classes explains, and votes."""

import numpy as np

from flowers.drift.mix import class_means, votes

# Probabilities are logged with six decimals.
LEAST = 5e-7
# Pairs of classes whose log-probabilities are looked at together, at most.
PAIRS = 10


def scores(probabilities):
    """Give what is ranked of an answer: confidence, and each log-probability less their mean.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, 1 + n_classes), float64
    """
    logs = np.log(np.maximum(probabilities, LEAST, dtype=float))
    return np.column_stack([probabilities.max(axis=1), logs - logs.mean(axis=1, keepdims=True)])


def neutral(reference, truth, probabilities):
    """Take from scores what the mix of classes explains: no change of the mix moves the rest.

    A score becomes its rank among the held-out photos, less the mean rank of the classes the photo
    votes for (``flowers.drift.mix.votes``). Its mean over the photos of any class is then 0, so
    days with other flowers, or bursts of one, leave it where it was.

    Parameters
    ----------
    reference, truth, probabilities
        As of ``flowers.drift.mix.votes``.

    Returns
    -------
    ndarray of shape (n, 1 + n_classes), float64
    """
    known, given = (_ranks(reference, p) for p in (reference, probabilities))
    return _apart(reference, truth, votes(reference, truth, probabilities), known, given)


def values(reference, truth, probabilities):
    """Give what is averaged of answers.

    Two ranks that say nothing one by one may do so together: a photo between two classes has high
    ranks for both, and a model that sees another kind of photo is in doubt between others than
    before. So products of ranks stand beside the ranks; a mean sees no more of a part of the photos
    than moves it.

    Parameters
    ----------
    reference, truth, probabilities
        As of `neutral`.

    Returns
    -------
    scores : ndarray of shape (n, d), float64
        Those of `neutral`, then products of two ranks, each less a half, as neutral as these.
    votes : ndarray of shape (n, n_classes), float64
    """
    known, given = (_ranks(reference, p) for p in (reference, probabilities))
    one, other = _pairs(reference)
    known, given = (
        np.column_stack([ranks, (ranks[:, one] - 0.5) * (ranks[:, other] - 0.5)])
        for ranks in (known, given)
    )
    chosen = votes(reference, truth, probabilities)
    return _apart(reference, truth, chosen, known, given), chosen


def _ranks(reference, probabilities):
    """Rank of each score among those of the held-out photos, range [0, 1]."""
    sides = [
        np.searchsorted(column, values, side)
        for column, values in zip(
            np.sort(scores(reference), axis=0).T, scores(probabilities).T, strict=True
        )
        for side in ("left", "right")
    ]
    return np.add(sides[::2], sides[1::2]).T / (2 * len(reference))


def _pairs(reference):
    """Columns of scores of both classes of the pairs that held-out answers mix up most."""
    one, other = np.triu_indices(reference.shape[1], 1)
    most = np.argsort(-(reference.T @ reference)[one, other], kind="stable")[:PAIRS]
    return 1 + one[most], 1 + other[most]


def _apart(reference, truth, chosen, known, given):
    """Take from what is given what the classes that the photos vote for explain."""
    # Equal answers are equal scores, whatever the last bits of a product are.
    return (given - chosen @ class_means(reference, truth, known)).round(9)
