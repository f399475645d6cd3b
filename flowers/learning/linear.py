"""Linear decision functions, kept as one weight vector per decision value."""

import numpy as np

from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.standardisation import split_range, standardise_block

IDENTITY_ROWS = 256  # of the identity matrix, evaluated at a time


def multiply_rows(rows, vectors):
    """Compute the scalar products of rows with vectors.

    The last bits of a matrix product depend on the number of rows: up to ``BATCH_INVARIANT_ROWS``
    rows have a product each, so that their bits do not depend on the batch.

    Parameters
    ----------
    rows, vectors : ndarray of shape (n, d), (k, d), float64

    Returns
    -------
    ndarray of shape (n, k), float64
    """
    if len(rows) > BATCH_INVARIANT_ROWS:
        return rows @ vectors.T
    products = np.empty((len(rows), len(vectors)))
    for row, values in zip(rows, products, strict=True):
        np.dot(vectors, np.ascontiguousarray(row), out=values)
    return products


class LinearDecisionFunction:
    """Affine functions of a row.

    Parameters
    ----------
    coef, intercept : ndarray of shape (k, d), float32; (k,), float64
    """

    def __init__(self, coef, intercept):
        self.coef_ = coef
        self.intercept_ = intercept

    def decision_function(self, X):
        """Evaluate the functions at rows (n, d): float64, (n, k), or (n,) where k is 1."""
        values = np.tile(self.intercept_, (len(X), 1))
        for b in split_range(X.shape[1]):
            values += multiply_rows(X[:, b].astype(float), self.coef_[:, b].astype(float))
        return values[:, 0] if values.shape[1] == 1 else values


def compute_dual_coefficients(function, n):
    """Compute the dual coefficients of a function that is affine in kernel values.

    Parameters
    ----------
    function : callable
        From kernel values (m, n) to decision values (m, k) or (m,), float64.
    n : int
        Number of training rows.

    Returns
    -------
    dual, intercept : ndarray of shape (n, k), (k,)
    """
    intercept = function(np.zeros((1, n))).reshape(-1)
    dual = np.empty((n, len(intercept)))
    for rows in split_range(n, IDENTITY_ROWS):
        unit = np.eye(rows.stop - rows.start, n, rows.start)
        dual[rows] = function(unit).reshape(len(unit), -1) - intercept
    return dual, intercept


def to_primal(X, mean, scale, dual, intercept):
    """Convert dual coefficients to weight vectors of the features.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
        Training rows; the kernel is the scalar product of rows standardised by mean and scale.
    mean, scale : ndarray of shape (d,)
    dual, intercept : ndarray of shape (n, k), (k,)

    Returns
    -------
    LinearDecisionFunction
    """
    coef = np.empty((dual.shape[1], X.shape[1]), np.float32)
    intercept = intercept.copy()
    for b in split_range(X.shape[1]):
        part = standardise_block(X, mean, scale, b).astype(np.float64)
        weights = dual.T @ part / scale[b]
        intercept -= weights @ mean[b]
        coef[:, b] = weights
    return LinearDecisionFunction(coef, intercept)
