"""Decision values that are linear in the features: one weight vector each, whatever made them."""

import numpy as np

from flowers.learning.kernels import blocks, standardised

# Rows of the identity that a machine answers at a time.
ROWS = 256


class Hyperplanes:
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
        for b in blocks(X.shape[1]):
            values += X[:, b].astype(np.float64) @ self.coef_[:, b].T.astype(np.float64)
        return values[:, 0] if values.shape[1] == 1 else values


def duals(function, n):
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


def collapsed(X, mean, scale, weights, offset):
    """Weights of known rows become weights of features.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
        The kernel is the product of rows standardised by them.
    weights : ndarray of shape (n, k)
    offset : ndarray of shape (k,)
        From `duals`.

    Returns
    -------
    Hyperplanes
    """
    coef, offset = np.empty((weights.shape[1], X.shape[1]), np.float32), offset.copy()
    for b in blocks(X.shape[1]):
        part = standardised(X, mean, scale, b).astype(np.float64)
        exact = weights.T @ part / scale[b]
        offset -= exact @ mean[b]
        coef[:, b] = exact
    return Hyperplanes(coef, offset)
