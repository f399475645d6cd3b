"""Gaussian naive Bayes with calibrated probabilities."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.base.parallel import parallel_map, use_threads
from flowers.learning.calibration import CalibratedClassifier, choose_labels
from flowers.learning.folds import assign_fold_numbers, restore_row_order
from flowers.learning.gram import compute_gram
from flowers.learning.linear import compute_dual_coefficients, multiply_rows, to_primal
from flowers.learning.standardisation import NARROW, split_range

# Rows whose products with the classes are taken at once: 64 of a block of columns are 1 MB.
ROWS = 64


class LogLikelihoodNB(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes whose decision values are log-likelihoods, in blocks of columns.

    The model of ``sklearn.naive_bayes.GaussianNB``, which needs several float64 copies of the
    features and whose probabilities round to 0 and 1 on images: nothing is left to calibrate.
    """

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        """Take the mean and the variance of each feature in each class."""
        classes, index = np.unique(y, return_inverse=True)
        return self._of(classes, *sum_parts(X, index, len(classes)))

    def fit_with_folds(self, X, y, folds):
        """Fit on all rows, which are read once for all folds, and ask fits without each fold.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype
        y : ndarray of shape (n,)
        folds : list of (train, validation) pairs of int arrays
            Each row is in the second part of one of them.

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) with two classes, float64
            Decision values of the rows, by the fit without their fold.
        """
        classes, index = np.unique(y, return_inverse=True)
        fold = assign_fold_numbers(folds)
        centre, *parts = sum_parts(X, fold * len(classes) + index, len(folds) * len(classes))
        parts = [part.reshape(len(folds), len(classes), -1) for part in parts]
        every = [part.sum(axis=0) for part in parts]
        self._of(classes, centre, *every)
        told = []
        for number, (_, rows) in enumerate(folds):
            known = [total - part[number] for total, part in zip(every, parts, strict=True)]
            machine = LogLikelihoodNB(self.var_smoothing)._of(classes, centre, *known)
            told.append(machine.decision_function(X[rows]))
        return restore_row_order(told, folds)

    def _of(self, classes, centre, counts, total, squares):
        """Set what is fitted, from `sum_parts`."""
        counts = np.maximum(counts, 1)  # rows of a class may all be in the fold that is away
        n = counts.sum()
        self.classes_, self.centre_ = classes, centre
        self.log_prior_ = np.log(counts[:, 0] / n)
        self.theta_ = total / counts
        variances = squares.sum(axis=0) / n - (total.sum(axis=0) / n) ** 2
        var = squares / counts - self.theta_**2
        self.var_ = np.maximum(var, 0.0) + self.var_smoothing * variances.max()
        return self

    def decision_function(self, X):
        """Joint log-likelihood per feature, shape (n, n_classes), or (n,) with two classes."""
        constant = np.log(2.0 * np.pi * self.var_).sum(axis=1)
        constant += (self.theta_**2 / self.var_).sum(axis=1)
        total = np.tile(self.log_prior_ - 0.5 * constant, (len(X), 1))
        tasks = (
            (X, b, self.centre_[b], self.theta_[:, b], self.var_[:, b])
            for b in split_range(X.shape[1])
        )
        with use_threads():
            for found in parallel_map(_compute_block_terms, tasks):  # in their order: the same bits
                total += found
        total /= X.shape[1]
        return total[:, 1] - total[:, 0] if len(self.classes_) == 2 else total

    def predict(self, X):
        """Give the class of the highest likelihood."""
        return choose_labels(self.classes_, self.decision_function(X))


def sum_parts(X, part, count):
    """Give sums and sums of squares of each part of the rows, about a centre of each column.

    About a centre they lose no digits that matter where a mean is many deviations from zero.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    part : ndarray of shape (n,), int
        Of each row, in ``range(count)``.
    count : int

    Returns
    -------
    centre : ndarray of shape (d,), float64
    counts : ndarray of shape (count, 1), int
    total, squares : ndarray of shape (count, d), float64
    """
    order = np.argsort(part, kind="stable")
    counts = np.bincount(part, minlength=count)
    parts = np.split(order, np.cumsum(counts)[:-1])
    with use_threads():
        found = list(
            parallel_map(_sum_block, ((X, b, parts) for b in split_range(X.shape[1], NARROW)))
        )
    centre, total, squares = (np.concatenate(some, axis=-1) for some in zip(*found, strict=True))
    return centre, counts[:, None], total, squares


def _sum_block(X, block, parts):
    X = X[:, block]
    centre = X[:ROWS].mean(axis=0, dtype=np.float64)
    total, squares = np.empty((2, len(parts), X.shape[1]))
    for rows, own, square in zip(parts, total, squares, strict=True):
        part = X[rows].astype(np.float64)
        part -= centre
        part.sum(axis=0, out=own)
        np.square(part, out=part)
        part.sum(axis=0, out=square)
    return centre, total, squares


def _compute_block_terms(X, block, centre, theta, var):
    """Give the linear term of the exponents less half the square one, shape (n, n_classes)."""
    slope, inverse = theta / var, 0.5 / var
    found = np.empty((len(X), len(theta)))
    for rows in split_range(len(X), ROWS):
        part = X[rows, block].astype(np.float64)
        part -= centre
        found[rows] = multiply_rows(part, slope)
        np.square(part, out=part)
        found[rows] -= multiply_rows(part, inverse)
    return found


class CalibratedNB(CalibratedClassifier):
    """Gaussian naive Bayes with probabilities calibrated on grouped folds.

    Parameters
    ----------
    var_smoothing : float, >= 0
        Share of the largest feature variance added to all variances, as in ``GaussianNB``.
    reduce : {"none", "pca", "lda"}
        What the features become first: nothing else, their principal components, or the
        directions that tell the classes apart best among these components. Learnt from the
        training rows of each fold, from one Gram matrix of all of them, and kept as one weight
        vector per direction.
    components : int, >= 1
        Principal components of "pca" and "lda"; fewer where there are fewer rows.
    calibration, folds, seed
        As in `GramSVC`; the seed is also that of the components' search.
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
        """Fit the classes' Gaussians and the calibration; see `GramSVC.fit`."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        machine = LogLikelihoodNB(self.var_smoothing)
        if self.reduce == "none":
            self._calibrate(machine, X, y, groups)
            return self
        mean = np.concatenate([X[:, b].mean(axis=0, dtype=float) for b in split_range(X.shape[1])])
        scale = np.ones_like(mean)
        gram, norms = compute_gram(X, mean, scale)
        size = norms.mean() or 1.0
        self._calibrate(self._reduced(machine), gram / np.float32(size), y, groups)
        directions = self.classifier_[:-1]
        weights, offset = compute_dual_coefficients(directions.transform, len(X))
        self.directions_ = to_primal(X, mean, scale, weights / size, offset)
        self.classifier_ = self.classifier_[-1]
        return self

    def _reduced(self, machine):
        """Put a reduction before the machine, for rows of a linear kernel."""
        components = KernelPCA(
            self.components,
            kernel="precomputed",
            eigen_solver="randomized",
            remove_zero_eig=True,
            random_state=self.seed,
        )
        steps = [("components", components)]
        if self.reduce == "lda":
            steps.append(("directions", LinearDiscriminantAnalysis()))
        return Pipeline([*steps, ("machine", machine)])

    def _fits(self, machine, rows, y, folds):
        if self.reduce != "none":
            return super()._fits(machine, rows, y, folds)
        return machine, machine.fit_with_folds(rows, y, folds)

    def _rows(self, X):
        if self.reduce == "none":
            return X
        values = self.directions_.decision_function(X)
        return values[:, None] if values.ndim == 1 else values
