"""Gaussian naive Bayes in blocks of columns, with calibrated probabilities."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.learning.calibration import Calibrated, argmax_labels
from flowers.learning.kernels import NARROW, blocks, products
from flowers.learning.linear import collapsed, duals, products_of_rows
from flowers.parallel import each, on_threads


class LogLikelihoods(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes whose decision values are log-likelihoods, in blocks of columns.

    The model of ``sklearn.naive_bayes.GaussianNB``, which needs several float64 copies of the
    features and whose probabilities round to 0 and 1 on images: nothing is left to calibrate.
    """

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        """Take the mean and the variance of each feature in each class."""
        self.classes_, index = np.unique(y, return_inverse=True)
        member = np.eye(len(self.classes_))[index]  # (n, n_classes), one-hot
        share = member / member.sum(axis=0)
        self.log_prior_ = np.log(member.mean(axis=0))
        # Sums of squares about the mean of all rows lose no digits that matter.
        with on_threads():
            some = blocks(X.shape[1], NARROW)
            parts = list(each(_block_moments, ((X, b, share) for b in some)))
        centres, thetas, variances, means = zip(*parts, strict=True)
        self.centre_, self.theta_ = np.concatenate(centres), np.hstack(thetas)
        largest, var = max(means), np.hstack(variances)
        self.var_ = np.maximum(var, 0.0) + self.var_smoothing * largest
        return self

    def decision_function(self, X):
        """Joint log-likelihood per feature, shape (n, n_classes), or (n,) with two classes."""
        constant = np.log(2.0 * np.pi * self.var_).sum(axis=1)
        constant += (self.theta_**2 / self.var_).sum(axis=1)
        total = np.tile(self.log_prior_ - 0.5 * constant, (len(X), 1))
        tasks = (
            (X, b, self.centre_[b], self.theta_[:, b], self.var_[:, b]) for b in blocks(X.shape[1])
        )
        with on_threads():
            for linear, square in each(_block_terms, tasks):  # in their order: the same bits
                total += linear
                total -= 0.5 * square
        total /= X.shape[1]
        return total[:, 1] - total[:, 0] if len(self.classes_) == 2 else total

    def predict(self, X):
        """Give the class of the highest likelihood."""
        return argmax_labels(self.classes_, self.decision_function(X))


def _block_moments(X, block, share):
    """Mean of the columns of a block, of each class about it, and the variances."""
    part = X[:, block].astype(np.float64)
    centre = part.mean(axis=0)
    part -= centre
    theta = share.T @ part
    np.square(part, out=part)
    return centre, theta, share.T @ part - theta**2, part.mean(axis=0).max()


def _block_terms(X, block, centre, theta, var):
    """Give the linear and the square term of the exponents, each of shape (n, n_classes)."""
    part = X[:, block].astype(np.float64)
    part -= centre
    linear = products_of_rows(part, theta / var)
    np.square(part, out=part)
    return linear, products_of_rows(part, 1.0 / var)


class CalibratedNB(Calibrated):
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

    _folds_at_once = 1  # each needs a copy of its rows; the columns are dealt out instead

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
        machine = LogLikelihoods(self.var_smoothing)
        if self.reduce == "none":
            self._calibrate(machine, X, y, groups)
            return self
        mean = np.concatenate([X[:, b].mean(axis=0, dtype=float) for b in blocks(X.shape[1])])
        scale = np.ones_like(mean)
        gram, norms = products(X, mean, scale)
        size = norms.mean() or 1.0
        self._calibrate(self._reduced(machine), gram / np.float32(size), y, groups)
        directions = self.machine_[:-1]
        weights, offset = duals(directions.transform, len(X))
        self.directions_ = collapsed(X, mean, scale, weights / size, offset)
        self.machine_ = self.machine_[-1]
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

    def _rows(self, X):
        if self.reduce == "none":
            return X
        values = self.directions_.decision_function(X)
        return values[:, None] if values.ndim == 1 else values
