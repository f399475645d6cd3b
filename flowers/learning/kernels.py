"""Standardised features and their RBF kernel, in tiles, so that memory stays flat.

A tile is one product of some rows by some rows, on one thread, block of columns after block: its
bits do not depend on who computes it. The workers are those of ``flowers.parallel.workers``.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from flowers.parallel import each, opened, shared

# One block of columns: 2,048 features of 512 rows as float32 = 4 MB.
BLOCK = 2048
# The same of a tile of products: 16 MB, which the system gives in large pages.
WIDE = 8192
# Rows of a tile: its products then take about ten times as long as standardising its rows.
TILE = 512
# Columns whose moments are taken at once: 4,000 rows of them as float64 are 8 MB, which the system
# gives again and again without clearing them anew.
NARROW = 256
# Up to so many new rows are taken to the known ones one by one; more of them make tiles.
FEW = 32
# Known rows turned into float32 at once, few enough to stay in the processor's cache.
CHUNK = 16


def blocks(n_columns, width=BLOCK):
    """Slices of at most `width` columns that cover ``n_columns``."""
    return [slice(i, min(i + width, n_columns)) for i in range(0, n_columns, width)]


def tiles(n):
    """Slices of at most ``TILE`` rows that cover ``n``."""
    return [slice(i, min(i + TILE, n)) for i in range(0, n, TILE)]


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
    some = blocks(X.shape[1])
    with shared(X) as (stored,):
        for b, found in zip(some, each(_moments, ((stored, b) for b in some)), strict=True):
            mean[b], scale[b] = found
    # The bound below which StandardScaler calls a column constant.
    eps = np.finfo(np.float64).eps
    constant = scale**2 <= len(X) * eps * scale**2 + (len(X) * mean * eps) ** 2
    scale[constant] = 1.0
    return mean, scale


def _moments(X, block):
    X = opened(X)[:, block]
    found = [_narrow_moments(X[:, narrow]) for narrow in blocks(X.shape[1], NARROW)]
    return tuple(np.concatenate(some) for some in zip(*found, strict=True))


def _narrow_moments(X):
    part = X.astype(np.float64)
    mean = part.mean(axis=0)
    part -= mean
    np.square(part, out=part)
    return mean, np.sqrt(part.mean(axis=0))


def standardised(X, mean, scale, block, out=None):
    """One block of columns of X with zero mean and unit variance, float32, in `out` if given."""
    part = X[:, block]
    out = np.empty(part.shape, np.float32) if out is None else out[:, : part.shape[1]]
    out[:] = part
    out -= mean[block].astype(np.float32)
    out *= (1.0 / scale[block]).astype(np.float32)
    return out


def products(X, mean, scale):
    """Scalar products between all standardised rows, from half of the tiles.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
        From `moments`.

    Returns
    -------
    product : ndarray of shape (n, n), float32
    norms : ndarray of shape (n,), float64
        Squared norms of the standardised rows.
    """
    some = tiles(len(X))
    # Those on the diagonal are half the work: they come last, to even out the workers.
    pairs = [(i, j) for k, i in enumerate(some) for j in some[:k]] + [(i, i) for i in some]
    product, norms = np.empty((len(X), len(X)), np.float32), np.empty(len(X))
    for i, j, part in _tiled(X, X, mean, scale, pairs, norms):
        product[i, j] = part
        product[j, i] = part.T
    return product, norms


def products_to(rows, X, mean, scale):
    """Scalar products of many new rows with known ones, all standardised, tile by tile.

    Parameters
    ----------
    rows : ndarray of shape (m, d), any real dtype
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)

    Returns
    -------
    product : ndarray of shape (m, n), float32
    norms : ndarray of shape (m,), float64
        Squared norms of the new rows, standardised.
    """
    pairs = [(i, j) for i in tiles(len(rows)) for j in tiles(len(X))]
    product, norms = np.empty((len(rows), len(X)), np.float32), np.empty(len(rows))
    for i, j, part in _tiled(rows, X, mean, scale, pairs, norms):
        product[i, j] = part
    return product, norms


def _tiled(A, B, mean, scale, pairs, norms):
    """Yield the tiles of A by B, and fill in the squared norms of A's rows."""
    with threadpool_limits(1, "blas"), shared(A, B, mean, scale) as stored:
        done = each(_tile, ((*stored, i, j, A is B and i == j) for i, j in pairs))
        for (i, j), (part, squares) in zip(pairs, done, strict=True):
            if squares is not None:
                norms[i] = squares
            yield i, j, part


def _tile(A, B, mean, scale, *where):
    """One tile of A by B, and the squared norms of A's rows where B is at its start."""
    i, j, same = where
    A, B, mean, scale = opened(A)[i], opened(B)[j], opened(mean), opened(scale)
    product = np.zeros((len(A), len(B)), np.float32)
    norms = None if j.start else np.zeros(len(A))
    # Written again for each block: new memory, cleared by the system, takes as long as its filling.
    width = min(WIDE, A.shape[1])
    term, mine = np.empty_like(product), np.empty((len(A), width), np.float32)
    other = None if same else np.empty((len(B), width), np.float32)
    for block in blocks(A.shape[1], WIDE):
        a = standardised(A, mean, scale, block, mine)
        # numpy sees the one matrix on both sides and computes half the products.
        b = a if same else standardised(B, mean, scale, block, other)
        product += np.matmul(a, b.T, out=term)
        if norms is not None:
            norms += np.einsum("ij,ij->i", a, a, dtype=np.float64)
    return product, norms


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
