"""Gaussian naive Bayes by its sums, which add up: one reading of the rows serves all folds."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from flowers.base.parallel import parallel_map, use_threads
from flowers.learning.calibration import argmax_labels
from flowers.learning.folds import fold_numbers, in_order
from flowers.learning.linear import products_of_rows
from flowers.learning.standard import NARROW, blocks

# Rows whose products with the classes are taken at once: 64 of a block of columns are 1 MB.
ROWS = 64


class LogLikelihoods(ClassifierMixin, BaseEstimator):
    """Gaussian naive Bayes whose decision values are log-likelihoods, in blocks of columns.

    The model of ``sklearn.naive_bayes.GaussianNB``, which needs several float64 copies of the
    features and whose probabilities round to 0 and 1 on images: nothing is left to calibrate.
    """

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        """Take the mean and the variance of each feature in each class."""
        classes, index = np.unique(y, return_inverse=True)
        return self._of(classes, *sums(X, index, len(classes)))

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
        fold = fold_numbers(folds)
        centre, *parts = sums(X, fold * len(classes) + index, len(folds) * len(classes))
        parts = [part.reshape(len(folds), len(classes), -1) for part in parts]
        every = [part.sum(axis=0) for part in parts]
        self._of(classes, centre, *every)
        told = []
        for number, (_, rows) in enumerate(folds):
            known = [total - part[number] for total, part in zip(every, parts, strict=True)]
            machine = LogLikelihoods(self.var_smoothing)._of(classes, centre, *known)
            told.append(machine.decision_function(X[rows]))
        return in_order(told, folds)

    def _of(self, classes, centre, counts, total, squares):
        """Set what is fitted, from `sums`."""
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
            (X, b, self.centre_[b], self.theta_[:, b], self.var_[:, b]) for b in blocks(X.shape[1])
        )
        with use_threads():
            for found in parallel_map(_block_terms, tasks):  # in their order: the same bits
                total += found
        total /= X.shape[1]
        return total[:, 1] - total[:, 0] if len(self.classes_) == 2 else total

    def predict(self, X):
        """Give the class of the highest likelihood."""
        return argmax_labels(self.classes_, self.decision_function(X))


def sums(X, part, count):
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
        found = list(parallel_map(_block_sums, ((X, b, parts) for b in blocks(X.shape[1], NARROW))))
    centre, total, squares = (np.concatenate(some, axis=-1) for some in zip(*found, strict=True))
    return centre, counts[:, None], total, squares


def _block_sums(X, block, parts):
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


def _block_terms(X, block, centre, theta, var):
    """Give the linear term of the exponents less half the square one, shape (n, n_classes)."""
    slope, inverse = theta / var, 0.5 / var
    found = np.empty((len(X), len(theta)))
    for rows in blocks(len(X), ROWS):
        part = X[rows, block].astype(np.float64)
        part -= centre
        found[rows] = products_of_rows(part, slope)
        np.square(part, out=part)
        found[rows] -= products_of_rows(part, inverse)
    return found
