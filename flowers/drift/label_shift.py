"""Label shift: class proportions of a stream, and scores that do not depend on them.

Black-box shift estimation (BBSE; Lipton, Wang & Smola 2018, "Detecting and Correcting for Label
Shift with Black Box Predictors"), with probabilities in place of predicted labels. Under label
shift each class keeps its distribution of predictions, so the mean prediction of a window is a
mixture of the class means on the reference set. Solving for the mixture weights gives the class
proportions.
"""

import numpy as np
from scipy.special import ndtri

# Lags of the autocorrelation, in predictions. Longer bursts are covered by the day-to-day variance.
LAGS = 15
# Smaller singular values, relative to the largest, count as 0: the model confuses the two classes.
MIN_SINGULAR_RATIO = 0.02
MIN_PROBABILITY = 5e-7  # probabilities are logged with six decimals
RANK_EXPONENT = 8  # the higher, the more the lowest ranks count; chosen on 20 % of unknown photos
MAX_PAIRS = 10  # pairs of classes whose log-probabilities enter as a product


def encode_one_hot(truth, n_classes):
    """Encode class indices as rows with a single 1, (m, n_classes) float64."""
    return (truth[:, None] == np.arange(n_classes)).astype(float)


def compute_proportions(reference):
    """Compute the class proportions of a reference set, (n_classes,)."""
    return encode_one_hot(reference.truth, len(reference.classes)).mean(axis=0)


def average_by_class(truth, n_classes, values):
    """Average rows (m, d) class by class, (n_classes, d); zeros for a class without rows.

    Parameters
    ----------
    truth, n_classes, values : ndarray of shape (m,), int; int; ndarray of shape (m, d)
        Class index of each row, number of classes, and rows.
    """
    member = encode_one_hot(truth, n_classes)
    return member.T @ values / np.maximum(member.sum(axis=0), 1)[:, None]


def estimate_proportions(reference, truth, probabilities):
    """Estimate class proportions from each prediction (BBSE).

    Parameters
    ----------
    reference, truth : ndarray of shape (m, n_classes), (m,)
        Probabilities and class indices of the reference set.
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        Rows sum to 1 and may have negative values; their mean over a window is the estimate.
    """
    means = average_by_class(truth, reference.shape[1], reference)
    return probabilities @ np.linalg.pinv(means, rcond=MIN_SINGULAR_RATIO)


def cumulate_rows(values):
    """Sum all rows before each, and all: (n, ...) to (n + 1, ...)."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])


def compute_design_effects(values, ends):
    """Compute the design effect of the start of a stream: variance inflation by bursts (Kish 1965).

    One plus twice the sum of the autocorrelations up to ``LAGS``, pooled over the columns: the
    variance of a mean relative to that of independent predictions.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        In the order of time.
    ends : sequence of int, of length t
        Numbers of predictions, ascending.

    Returns
    -------
    ndarray of shape (t,), >= 1
    """
    ends = np.asarray(ends, int)
    sums = cumulate_rows(values)
    mean_square = np.square(sums[ends] / ends[:, None]).sum(axis=1)

    def sum_products(lag):
        products = np.einsum("nd,nd->n", values[lag:], values[: max(len(values) - lag, 0)])
        n_pairs = np.maximum(ends - lag, 0)
        return np.append(0, np.cumsum(products))[n_pairs] - n_pairs * mean_square

    variance = sum_products(0)
    lagged = sum(sum_products(lag) for lag in range(1, LAGS + 1))
    varies = variance > 1e-9 * (variance + ends * mean_square)
    return np.maximum(1, 1 + 2 * np.divide(lagged, variance, np.zeros(len(ends)), where=varies))


def estimate_changes(reference, probabilities):
    """Estimate the change of each class proportion from the reference set to later predictions.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group.
    probabilities : ndarray of shape (n, n_classes)
        In the order of time.

    Returns
    -------
    change, noise : ndarray of shape (n_classes,)
        Difference of proportions and its standard deviation, with the design effect.
    """
    before, now = (
        estimate_proportions(reference.probabilities, reference.truth, x)
        for x in (reference.probabilities, probabilities)
    )
    bursts = compute_design_effects(now - before.mean(axis=0), [len(now)])
    noise = np.sqrt(before.var(axis=0) / len(before) + now.var(axis=0) * bursts / len(now))
    return now.mean(axis=0) - before.mean(axis=0), noise


def compute_critical_value(n_classes, alpha):
    """Compute the two-sided normal critical value for all classes together (Bonferroni)."""
    return float(ndtri(1 - alpha / (2 * n_classes)))


def compute_typicality_scores(reference, typicality):
    """Compute 1 - (1 - r)^RANK_EXPONENT from the rank r of typicalities in the reference set, (n,).

    A mean of ranks hardly changes where a few images are unlike all others; a mean of these does.
    """
    rank = compute_ranks(reference[:, None], typicality[:, None])[:, 0]
    return 1 - (1 - rank) ** RANK_EXPONENT


def compute_scores(probabilities):
    """Compute confidence and centred log-probabilities: (n, c) to (n, 1 + c), float64."""
    logs = np.log(np.maximum(probabilities, MIN_PROBABILITY, dtype=float))
    return np.column_stack([probabilities.max(axis=1), logs - logs.mean(axis=1, keepdims=True)])


def compute_ranks(reference, values):
    """Compute the rank of values in reference columns, (m, d) and (n, d); ties at the middle.

    Returns
    -------
    ndarray of shape (n, d), range [0, 1]
    """
    columns = zip(np.sort(reference, axis=0).T, values.T, strict=True)
    counts = [np.searchsorted(r, v) + np.searchsorted(r, v, "right") for r, v in columns]
    return np.stack(counts, axis=1) / (2 * len(reference))


class ScoreAdjustment:
    """Scores of predictions that do not depend on the class proportions.

    A score becomes its rank in the reference set minus the mean rank of the classes, weighted by
    `estimate_proportions` of the prediction. Its mean over any class is then 0, so neither other
    class proportions nor a burst of one class moves it. Two ranks that do not change one by one may
    change together: the model may hesitate between other pairs of classes than before. So products
    of two centred ranks are scores too. The last score is that of `compute_typicality_scores`, if
    the reference set has a typicality.

    Parameters
    ----------
    reference : flowers.model.reference.Reference

    Attributes
    ----------
    pairs : (ndarray of shape (p,), ndarray of shape (p,)), int
        The ``MAX_PAIRS`` pairs of classes that the model confuses most.
    alone : list of slice
        Columns that are tested alone, too: the confidence, and the typicality if there is one.
    """

    def __init__(self, reference):
        self.reference = reference
        self.scores = compute_scores(reference.probabilities)
        self.pairs = _select_pairs(reference.probabilities)
        self.alone = [slice(1)] if reference.typicality is None else [slice(1), slice(-1, None)]
        ranks = self._compute_ranks(reference)
        self.means = average_by_class(reference.truth, len(reference.classes), ranks)

    def adjust_scores(self, predictions):
        """Adjust the scores of predictions and estimate their class proportions.

        Parameters
        ----------
        predictions : Reference or flowers.drift.detector.Stream
            Of n predictions.

        Returns
        -------
        scores : ndarray of shape (n, d), float64
            Adjusted ranks of `compute_scores`, then adjusted products of the pairs, then the
            adjusted typicality score.
        proportions : ndarray of shape (n, n_classes), float64
            From `estimate_proportions`.
        """
        reference = self.reference.probabilities
        truth = self.reference.truth
        proportions = estimate_proportions(reference, truth, predictions.probabilities)
        ranks = self._compute_ranks(predictions)
        # Rounded so that equal predictions are equal scores, whatever the last bits of a product.
        return (ranks - proportions @ self.means).round(9), proportions

    def _compute_ranks(self, predictions):
        ranks = compute_ranks(self.scores, compute_scores(predictions.probabilities))
        first, second = (ranks[:, 1 + classes] - 0.5 for classes in self.pairs)
        columns = [ranks, first * second]
        if self.reference.typicality is not None:
            columns.append(
                compute_typicality_scores(self.reference.typicality, predictions.typicality)
            )
        return np.column_stack(columns)

    def name_scores(self):
        """Name each score, and the words of its meaning before and after "more" or "less"."""
        classes = self.reference.classes
        pairs = [f"{classes[c]} and {classes[d]}" for c, d in zip(*self.pairs, strict=True)]
        names = [("confidence", "", "confident")]
        names += [(c, f"{c} is ", "probable than for such photos before") for c in classes]
        names += [(pair, f"{pair} are confused ", "often") for pair in pairs]
        if self.reference.typicality is not None:
            names.append(("typicality", "", "like the training photos"))
        return names


def _select_pairs(probabilities):
    """Select the pairs of classes that the model confuses most, two arrays of class indices."""
    first, second = np.triu_indices(probabilities.shape[1], 1)
    confusion = (probabilities.T @ probabilities)[first, second]
    confused = np.argsort(-confusion, kind="stable")[:MAX_PAIRS]
    return first[confused], second[confused]
