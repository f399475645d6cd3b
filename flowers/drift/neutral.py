"""What is compared of an answer: scores, apart from what the mix of classes explains, and votes."""

import numpy as np

from flowers.drift.mix import class_means, votes
from flowers.drift.ranks import codes_of

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


class Ranked:
    """Answers whose scores are ranked among those of some of them, on held-out photos.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)

    Attributes
    ----------
    codes : ndarray of shape (n, 1 + n_classes), int
        `scores` in whole numbers (`flowers.drift.ranks.codes_of`).
    """

    def __init__(self, probabilities):
        self.probabilities, self.codes = probabilities, codes_of(scores(probabilities))

    def values(self, held, truth):
        """Give what is averaged of answers: what the mix of classes does not explain, and votes.

        A score becomes its rank among the held-out photos, less the mean rank of the classes the
        photo votes for (`flowers.drift.mix.votes`). Its mean over the photos of any class is then
        0, so days with other flowers, or bursts of one, leave it where it was.

        Two ranks that say nothing one by one may do so together: a photo between two classes has
        high ranks for both, and a model that sees another kind of photo is in doubt between others
        than before. So products of ranks stand beside the ranks; a mean sees no more of a part of
        the photos than moves it.

        Parameters
        ----------
        held : ndarray of shape (m,), int
            Rows of the held-out photos, which may come again.
        truth : ndarray of shape (m,), int
            Their classes.

        Returns
        -------
        scores : ndarray of shape (n, d), float64
            Neutral ranks of `scores`, then products of two ranks, each less a half, as neutral.
        votes : ndarray of shape (n, n_classes), float64
        """
        reference, ranks = self.probabilities[held], self._ranks(held)
        one, other = _pairs(reference)
        ranks = np.column_stack([ranks, (ranks[:, one] - 0.5) * (ranks[:, other] - 0.5)])
        chosen = votes(reference, truth, self.probabilities)
        explained = chosen @ class_means(reference, truth, ranks[held])
        # Equal answers are equal scores, whatever the last bits of a product are.
        return (ranks - explained).round(9), chosen

    def _ranks(self, held):
        """Rank of each score among those of the held-out photos, range [0, 1]."""
        kinds, width = int(self.codes.max()) + 1, self.codes.shape[1]
        place = self.codes + kinds * np.arange(width)
        counts = np.bincount(place[held].ravel(), minlength=kinds * width).reshape(width, kinds)
        # Those below, and half of those that are equal.
        return ((2 * counts.cumsum(axis=1) - counts) / (2 * len(held))).ravel()[place]

    def bets(self, scored, tolerance):
        """Take of what `values` gives the scores to bet on, as codes.

        Where no change of the mix is tolerated (0), they are the plain ones.
        """
        return self.codes if tolerance == 0 else codes_of(scored[:, : self.codes.shape[1]])


def _pairs(reference):
    """Columns of scores of both classes of the pairs that held-out answers mix up most."""
    one, other = np.triu_indices(reference.shape[1], 1)
    most = np.argsort(-(reference.T @ reference)[one, other], kind="stable")[:PAIRS]
    return 1 + one[most], 1 + other[most]
