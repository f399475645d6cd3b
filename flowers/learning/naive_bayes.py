"""Gaussian naive Bayes with calibrated probabilities, on features or on their reduction."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.base.errors import BadInput
from flowers.base.groups import find_first_of_groups
from flowers.base.parallel import parallel_map, use_threads
from flowers.learning.calibration import (
    CONSTANT_FEATURES,
    CalibratedClassifier,
    choose_labels,
    to_columns,
)
from flowers.learning.folds import assign_fold_numbers, number_groups, restore_row_order
from flowers.learning.gram import compute_gram
from flowers.learning.linear import compute_dual_coefficients, multiply_rows, to_primal
from flowers.learning.standardisation import NARROW_COLUMNS, split_range

SAME = 1e-6  # squared distance of equal rows, by rounding, as a share of the largest squared norm
# Above this number of rows, a reduction is learned from about as many: time and memory grow with
# the square.
SAMPLE = 5000
ROWS = 64  # converted to float64 at once: with a block of columns 1 MB


class LogLikelihoodNB(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes whose decision values are log-likelihoods, in blocks of columns.

    The model of ``sklearn.naive_bayes.GaussianNB``, which needs several float64 copies of the
    features, and whose probabilities of images round to 0 and 1, so that none could be calibrated.
    """

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        """Estimate the mean and the variance of each feature in each class."""
        classes, index = np.unique(y, return_inverse=True)
        return self._set_parameters(classes, *sum_parts(X, index, len(classes)))

    def fit_with_folds(self, X, y, folds):
        """Fit on all rows, which are read once, and return out-of-fold decision values.

        The sums of a fit without a fold are those of all rows less those of the fold. Parameters
        are those of `fit` and (train, test) pairs, the result has the form of `decision_function`.
        """
        classes, index = np.unique(y, return_inverse=True)
        numbers = assign_fold_numbers(folds) * len(classes) + index
        centre, *sums = sum_parts(X, numbers, len(folds) * len(classes))
        sums = [part.reshape(len(folds), len(classes), -1) for part in sums]
        totals = [part.sum(axis=0) for part in sums]
        self._set_parameters(classes, centre, *totals)
        decisions = []
        for number, (_, test) in enumerate(folds):
            train = [total - part[number] for total, part in zip(totals, sums, strict=True)]
            fitted = LogLikelihoodNB(self.var_smoothing)._set_parameters(classes, centre, *train)
            decisions.append(fitted.decision_function(X[test]))
        return restore_row_order(decisions, folds)

    def _set_parameters(self, classes, centre, counts, total, squares):
        """Set the fitted attributes from the results of `sum_parts`."""
        counts = np.maximum(counts, 1)  # all rows of a class may be in the fold that is left out
        n = counts.sum()
        self.classes_ = classes
        self.centre_ = centre
        self.log_prior_ = np.log(counts[:, 0] / n)
        self.theta_ = total / counts
        variances = squares.sum(axis=0) / n - (total.sum(axis=0) / n) ** 2
        if not variances.max() > 0:
            raise BadInput(CONSTANT_FEATURES)
        var = squares / counts - self.theta_**2
        self.var_ = np.maximum(var, 0.0) + self.var_smoothing * variances.max()
        return self

    def decision_function(self, X):
        """Joint log-likelihood per feature, shape (n, n_classes), or (n,) with two classes."""
        constant = np.log(2.0 * np.pi * self.var_).sum(axis=1)
        constant += (self.theta_**2 / self.var_).sum(axis=1)
        values = np.tile(self.log_prior_ - 0.5 * constant, (len(X), 1))
        blocks = split_range(X.shape[1])
        tasks = ((X, b, self.centre_[b], self.theta_[:, b], self.var_[:, b]) for b in blocks)
        with use_threads():
            for terms in parallel_map(_compute_block_terms, tasks):  # in their order: the same bits
                values += terms
        values /= X.shape[1]
        return values[:, 1] - values[:, 0] if len(self.classes_) == 2 else values

    def predict(self, X):
        """Return the class of the highest likelihood."""
        return choose_labels(self.classes_, self.decision_function(X))


def sum_parts(X, numbers, count):
    """Sum each part of the rows and their squares, after subtraction of a centre.

    The centre, the mean of the first rows, keeps the digits of columns whose mean is many standard
    deviations from zero.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    numbers : ndarray of shape (n,), int, range [0, count)
        Part of each row.
    count : int

    Returns
    -------
    centre : ndarray of shape (d,), float64
    counts : ndarray of shape (count, 1), int
    total, squares : ndarray of shape (count, d), float64
    """
    order = np.argsort(numbers, kind="stable")
    counts = np.bincount(numbers, minlength=count)
    parts = np.split(order, np.cumsum(counts)[:-1])
    tasks = ((X, block, parts) for block in split_range(X.shape[1], NARROW_COLUMNS))
    with use_threads():
        sums = list(parallel_map(_sum_block, tasks))
    centre, total, squares = (np.concatenate(blocks, axis=-1) for blocks in zip(*sums, strict=True))
    return centre, counts[:, None], total, squares


def _sum_block(X, block, parts):
    X = X[:, block]
    centre = X[:ROWS].mean(axis=0, dtype=np.float64)
    total, squares = np.empty((2, len(parts), X.shape[1]))
    for rows, row_sum, square_sum in zip(parts, total, squares, strict=True):
        part = X[rows].astype(np.float64)
        part -= centre
        part.sum(axis=0, out=row_sum)
        np.square(part, out=part)
        part.sum(axis=0, out=square_sum)
    return centre, total, squares


def _compute_block_terms(X, block, centre, theta, var):
    """Linear less half the quadratic terms of the exponents, shape (n, n_classes)."""
    slope = theta / var
    inverse = 0.5 / var
    terms = np.empty((len(X), len(theta)))
    for rows in split_range(len(X), ROWS):
        part = X[rows, block].astype(np.float64)
        part -= centre
        terms[rows] = multiply_rows(part, slope)
        np.square(part, out=part)
        terms[rows] -= multiply_rows(part, inverse)
    return terms


def sample_rows(y, groups, count, least, seed):
    """Choose about `count` rows at random, in proportion to the classes.

    The first row of each group is preferred: near-duplicates add little.

    Parameters
    ----------
    y, groups : ndarray of shape (n,)
    count, least : int
        Rows in total; rows of each class at least, if it has as many.
    seed : int

    Returns
    -------
    ndarray of int, sorted
    """
    rng = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        first = find_first_of_groups(groups[rows])
        rows = np.concatenate([rows[first], np.delete(rows, first)])
        chosen.append(rows[: max(least, round(count * len(rows) / len(y)))])
    return np.sort(np.concatenate(chosen))


class CalibratedNB(CalibratedClassifier):
    """Gaussian naive Bayes with probabilities calibrated on grouped folds.

    Parameters
    ----------
    var_smoothing : float, >= 0
        Fraction of the largest feature variance added to all variances, as in ``GaussianNB``.
    reduce : {"none", "pca", "lda"}
        Dimensionality reduction: principal components, or the linear discriminants of these
        components. Learned from the training rows of each fold, from sub-matrices of one Gram
        matrix, and kept as one weight vector per dimension. Above ``SAMPLE`` rows the whole fit
        uses about ``SAMPLE`` of them, see `sample_rows`.
    components : int, >= 1
        Principal components of "pca" and "lda", at most as many as rows.
    calibration, folds, seed
        As in `flowers.learning.svm.GramSVC`; the seed is also that of the eigenvalue solver.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["Lotus", "Tulip"], 20)
    >>> X = rng.normal(size=(40, 3)) + 2 * (y == "Tulip")[:, None]
    >>> groups = np.arange(40) // 2  # pairs of near-duplicates
    >>> model = CalibratedNB().fit(X, y, groups)
    >>> model.predict([[0, 0, 0], [2, 2, 2]])
    array(['Lotus', 'Tulip'], dtype='<U5')
    >>> model.predict_proba([[0, 0, 0], [2, 2, 2]]).round(1)
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(
        self,
        var_smoothing=1e-9,
        reduce="none",
        components=200,
        calibration="temperature",
        folds=5,
        seed=0,
    ):
        self.var_smoothing = var_smoothing
        self.reduce = reduce
        self.components = components
        self.calibration = calibration
        self.folds = folds
        self.seed = seed

    def fit(self, X, y, groups=None):
        """Fit the classifier and its calibration; see `flowers.learning.svm.GramSVC.fit`."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        classifier = LogLikelihoodNB(self.var_smoothing)
        if self.reduce == "none":
            self._fit_calibrated(classifier, X, y, self._make_folds(y, groups))
            return self
        if len(X) > SAMPLE:
            groups = number_groups(groups, len(X))
            rows = sample_rows(y, groups, SAMPLE, 2 * self.folds, self.seed)
            X, y, groups = (values[rows] for values in (X, y, groups))
        folds = self._make_folds(y, groups)
        blocks = split_range(X.shape[1])
        mean = np.concatenate([X[:, b].mean(axis=0, dtype=float) for b in blocks])
        scale = np.ones_like(mean)
        gram, norms = compute_gram(X, mean, scale)
        self._require_variation(gram, len(np.unique(y)), folds)
        size = norms.mean() or 1.0
        gram /= np.float32(size)
        self._fit_calibrated(self._add_reduction(classifier), gram, y, folds)
        dual, intercept = compute_dual_coefficients(self.classifier_[:-1].transform, len(X))
        self.reduction_ = to_primal(X, mean, scale, dual / size, intercept)
        self.classifier_ = self.classifier_[-1]
        return self

    def _require_variation(self, gram, n_classes, folds):
        """Raise BadInput if a reduction cannot be learned from the training rows of each fold."""
        squares = gram.diagonal()
        for train, _ in folds:
            if self.reduce == "lda" and len(train) <= n_classes:
                raise BadInput(
                    f"reduce lda: a fold leaves {len(train)} images of {n_classes} classes: "
                    "set folds higher, reduce to pca, or add photos"
                )
            distances = squares[train] - 2 * gram[train[0], train] + squares[train[0]]
            if distances.max() <= SAME * squares.max():
                raise BadInput(CONSTANT_FEATURES)

    def _add_reduction(self, classifier):
        """Return a pipeline from linear kernel values to the classifier."""
        options = {"eigen_solver": "randomized", "remove_zero_eig": True, "random_state": self.seed}
        steps = [KernelPCA(self.components, kernel="precomputed", **options)]
        if self.reduce == "lda":
            steps.append(LinearDiscriminantAnalysis())
        return make_pipeline(*steps, classifier)

    def _fit_folds(self, classifier, X, y, folds):
        if self.reduce != "none":
            return super()._fit_folds(classifier, X, y, folds)
        return classifier, classifier.fit_with_folds(X, y, folds)

    def _prepare_rows(self, X):
        return X if self.reduce == "none" else to_columns(self.reduction_.decision_function(X))
