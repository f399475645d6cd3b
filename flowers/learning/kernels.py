"""RBF kernels of standardised rows: distances between known ones, and to new ones.

The workers are those of ``flowers.base.parallel.use_workers``.
"""

import numpy as np

from flowers.learning.products import products, products_to
from flowers.learning.standard import standardised

# Up to so many new rows are taken to the known ones one by one; more of them make tiles.
FEW = 32
# Known rows turned into float32 at once, few enough to stay in the processor's cache.
CHUNK = 16


def squared_distances(X, mean, scale):
    """Squared Euclidean distances between all standardised rows.

    ``|a|^2 + |b|^2 - 2 a.b`` from products in float32 and norms in float64, clipped at 0. Meant
    for features whose spread is not tiny beside their mean, as pixels and histograms are: at a
    mean of 100,000 standard deviations float32 has no digits left.

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
    product, norms = products(X, mean, scale)
    distances = _assembled(product, norms, norms)
    np.fill_diagonal(distances, 0.0)
    return distances, norms


def squared_distances_to(rows, X, norms, mean, scale):
    """Squared Euclidean distances of new rows to known ones, all standardised.

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
    if len(rows) <= FEW:
        product, row_norms = _few_products(rows, X, mean, scale)
    else:
        product, row_norms = products_to(rows, X, mean, scale)
    return _assembled(product, row_norms, norms)


def _few_products(rows, X, mean, scale):
    """Products of a few new rows with many known ones, up to a constant for each new row.

    The scale of both sides goes to the new rows, so that the known ones are read just once, as
    they are: for a single photo, reading them is the work. That leaves the known ones' mean in
    the products, which the norms given back make good. Each new row has a product of its own:
    what is asked with it does not change a bit of its answer.
    """
    part = standardised(rows, mean, scale, slice(None))
    norms = np.einsum("ij,ij->i", part, part, dtype=np.float64)
    part /= scale.astype(np.float32)
    offset = np.einsum("ij,j->i", part, mean)
    product = np.empty((len(rows), len(X)), np.float32)
    for first in range(0, len(X), CHUNK):
        chunk = slice(first, first + CHUNK)
        known = X[chunk].astype(np.float32)
        for row, found in zip(part, product, strict=True):
            np.dot(known, row, out=found[chunk])
    return product, norms + 2.0 * offset


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
