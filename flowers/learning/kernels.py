"""Standardised features and their RBF kernel, in blocks, so that memory stays flat."""

import numpy as np

# One block of columns as float32: 5,000 photos x 2,048 features = 41 MB.
BLOCK = 2048
# New rows held as float32: 256 x 49,152 = 50 MB.
BATCH = 256
# Known rows turned into float32 at once, few enough to stay in the processor's cache.
CHUNK = 16


def blocks(n_columns):
    """Slices of at most ``BLOCK`` columns that cover ``n_columns``."""
    return [slice(i, min(i + BLOCK, n_columns)) for i in range(0, n_columns, BLOCK)]


def moments(X):
    """Mean and standard deviation of each column, in float64.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype

    Returns
    -------
    mean, scale : ndarray of shape (d,), float64
        `scale` is 1 where a column is constant, as in scikit-learn's ``StandardScaler``.
    """
    mean, scale = np.empty(X.shape[1]), np.empty(X.shape[1])
    for b in blocks(X.shape[1]):
        part = X[:, b].astype(np.float64)
        mean[b] = part.mean(axis=0)
        scale[b] = part.std(axis=0)
    # The bound below which StandardScaler calls a column constant.
    eps = np.finfo(np.float64).eps
    constant = scale**2 <= len(X) * eps * scale**2 + (len(X) * mean * eps) ** 2
    scale[constant] = 1.0
    return mean, scale


def standardised(X, mean, scale, block):
    """One block of columns of X with zero mean and unit variance, float32."""
    part = X[:, block].astype(np.float32)
    part -= mean[block].astype(np.float32)
    part *= (1.0 / scale[block]).astype(np.float32)
    return part


def squared_distances(X, mean, scale):
    """Squared Euclidean distances between all standardised rows.

    ``|a|^2 + |b|^2 - 2 a.b`` from one symmetric product in float32 and norms in float64, clipped
    at 0. Meant for features whose spread is not tiny beside their mean, as pixels and histograms
    are: at a mean of 100,000 standard deviations float32 has no digits left.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
        From `moments`.

    Returns
    -------
    distances : ndarray of shape (n, n), float32
    norms : ndarray of shape (n,), float64
        Squared norms of the standardised rows.
    """
    product, norms = np.zeros((len(X), len(X)), dtype=np.float32), np.zeros(len(X))
    for block in blocks(X.shape[1]):
        part = standardised(X, mean, scale, block)
        # numpy sees the one matrix on both sides and computes half the products.
        product += part @ part.T
        norms += np.einsum("ij,ij->i", part, part, dtype=np.float64)
    distances = _assembled(product, norms, norms)
    np.fill_diagonal(distances, 0.0)
    return distances, norms


def squared_distances_to(rows, X, norms, mean, scale):
    """Squared Euclidean distances of a few new rows to many known ones, all standardised.

    The scale of both sides goes to the new rows, so that the known ones are read just once, as
    they are: for a single photo, reading them is the work.

    Parameters
    ----------
    rows : ndarray of shape (m, d), any real dtype
    X : ndarray of shape (n, d), any real dtype
    norms : ndarray of shape (n,), float64
        Of the rows of X, from `squared_distances`.
    mean, scale : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (m, n), float32
    """
    product = np.empty((len(rows), len(X)), dtype=np.float32)
    row_norms, offset = np.empty(len(rows)), np.empty(len(rows))
    for start in range(0, len(rows), BATCH):
        some = slice(start, start + BATCH)
        part = standardised(rows[some], mean, scale, slice(None))
        row_norms[some] = np.einsum("ij,ij->i", part, part, dtype=np.float64)
        part /= scale.astype(np.float32)
        offset[some] = np.einsum("ij,j->i", part, mean)
        for first in range(0, len(X), CHUNK):
            chunk = slice(first, first + CHUNK)
            product[some, chunk] = part @ X[chunk].astype(np.float32).T
    return _assembled(product, row_norms + 2.0 * offset, norms)


def _assembled(product, row_norms, column_norms):
    product *= -2.0
    product += row_norms[:, None]
    product += column_norms[None, :]
    return np.maximum(product, 0.0, out=product)


def rbf(distances, gamma):
    """``exp(-gamma * d^2)``, in place.

    Parameters
    ----------
    distances : ndarray of float32
        Squared distances; overwritten.
    gamma : float, > 0
    """
    distances *= -np.float32(gamma)
    return np.exp(distances, out=distances)
