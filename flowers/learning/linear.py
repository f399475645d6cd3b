"""Decision values that are linear in the features: one weight vector each, whatever made them."""

import numpy as np

from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.standardisation import split_range, standardise_block

# Rows of the identity that a machine answers at a time.
ROWS = 256


def multiply_rows(rows, vectors):
    """Scalar products of rows with vectors.

    A product of matrices has other last bits with other numbers of rows: up to `BATCH_INVARIANT_ROWS` rows have a
    product each, so that what is asked with a row does not change a bit of its answer.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float64
    vectors : ndarray of shape (k, d), float64

    Returns
    -------
    ndarray of shape (n, k), float64
    """
    if len(rows) > BATCH_INVARIANT_ROWS:
        return rows @ vectors.T
    found = np.empty((len(rows), len(vectors)))
    for row, values in zip(rows, found, strict=True):
        np.dot(vectors, np.ascontiguousarray(row), out=values)
    return found


class LinearDecisionFunction:
    """Affine functions of a row.

    Parameters
    ----------
    coef : ndarray of shape (k, d), float32
    intercept : ndarray of shape (k,), float64
    """

    def __init__(self, coef, intercept):
        self.coef_ = coef
        self.intercept_ = intercept

    def decision_function(self, X):
        """Give the values of all rows.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype

        Returns
        -------
        ndarray of shape (n, k), or (n,) where k is 1, float64
        """
        values = np.tile(self.intercept_, (len(X), 1))
        for b in split_range(X.shape[1]):
            coef = self.coef_[:, b].astype(np.float64)
            values += multiply_rows(X[:, b].astype(np.float64), coef)
        return values[:, 0] if values.shape[1] == 1 else values


def compute_dual_coefficients(function, n):
    """Take apart a function that is affine in the kernel row: a weight per known row.

    Parameters
    ----------
    function : callable
        From kernel rows (m, n) to values (m, k) or (m,).
    n : int

    Returns
    -------
    weights : ndarray of shape (n, k), float64
    offset : ndarray of shape (k,), float64
    """
    offset = function(np.zeros((1, n))).reshape(-1)
    weights = np.empty((n, len(offset)))
    for start in range(0, n, ROWS):
        some = np.eye(min(ROWS, n - start), n, start)
        weights[start : start + ROWS] = function(some).reshape(len(some), -1) - offset
    return weights, offset


def to_primal(X, mean, scale, weights, offset):
    """Weights of known rows become weights of features.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
        The kernel is the product of rows standardised by them.
    weights : ndarray of shape (n, k)
    offset : ndarray of shape (k,)
        From `compute_dual_coefficients`.

    Returns
    -------
    Hyperplanes
    """
    coef, offset = np.empty((weights.shape[1], X.shape[1]), np.float32), offset.copy()
    for b in split_range(X.shape[1]):
        part = standardise_block(X, mean, scale, b).astype(np.float64)
        exact = weights.T @ part / scale[b]
        offset -= exact @ mean[b]
        coef[:, b] = exact
    return LinearDecisionFunction(coef, offset)
