"""Gram matrices and RBF kernels of standardised rows, in tiles."""

from math import ceil, isqrt

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from flowers.base.parallel import open_shared, parallel_map, share_arrays
from flowers.learning.standardisation import split_range, standardise_block

# Columns of a block: 512 rows of them as float32 are 16 MB, which the system gives in large pages.
WIDE = 8192
# Rows of a tile, at most, and what their number is a multiple of but in the last one.
TILE, ROUND = 512, 32
# Tiles along a side of a task, at most: the standardised rows of both sides are then 67 MB.
SIDE = 2


def make_tiles(n):
    """Slices of at most ``TILE`` rows that cover `n`: one, or an even number of about a size."""
    count = ceil(n / TILE)
    count += count % 2 if count > 1 else 0
    return split_range(n, ROUND * ceil(n / count / ROUND)) if count else []


def group_tiles(n, count):
    """Put the tiles of `n` rows together: `count` strips at least, where there are so many tiles.

    Parameters
    ----------
    n, count : int

    Returns
    -------
    list of list of slice
    """
    some = make_tiles(n)
    side = min(SIDE, max(1, len(some) // count))
    return [some[k : k + side] for k in range(0, len(some), side)]


def compute_gram(X, mean, scale):
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
    # Four tasks for each worker, or more: s strips make (s^2 + s) / 2 pairs.
    some = group_tiles(len(X), isqrt(8 * joblib.effective_n_jobs(None)))
    # Those on the diagonal are half the work: they come last, to even out the workers.
    pairs = [(i, j) for k, i in enumerate(some) for j in some[:k]] + [(i, i) for i in some]
    product, norms = np.empty((len(X), len(X)), np.float32), np.empty(len(X))
    for i, j, part in _tasks(X, X, mean, scale, pairs, norms):
        product[i, j] = part
        product[j, i] = part.T
    return product, norms


def compute_cross_gram(rows, X, mean, scale):
    """Scalar products of many new rows with known ones, all standardised.

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
    new = group_tiles(len(rows), 1)
    known = group_tiles(len(X), ceil(2 * joblib.effective_n_jobs(None) / len(new)))
    pairs = [(i, j) for i in new for j in known]
    product, norms = np.empty((len(rows), len(X)), np.float32), np.empty(len(rows))
    for i, j, part in _tasks(rows, X, mean, scale, pairs, norms):
        product[i, j] = part
    return product, norms


def _tasks(A, B, mean, scale, pairs, norms):
    """Yield the products of strips of A by strips of B; fill in the squared norms of A's rows."""
    with threadpool_limits(1, "blas"), share_arrays(A, B, mean, scale) as stored:
        done = parallel_map(_task, ((*stored, i, j) for i, j in pairs))
        for (i, j), (part, squares) in zip(pairs, done, strict=True):
            if squares is not None:
                norms[_whole(i)] = squares
            yield _whole(i), _whole(j), part


def _task(A, B, mean, scale, *pair):
    """Products of a strip of A by one of B, and squared norms of A's rows if B's is the first."""
    i, j = pair
    A, B, mean, scale = (open_shared(array) for array in (A, B, mean, scale))
    same = A is B and i == j
    mine, other = A[_whole(i)], B[_whole(j)]
    product = np.zeros((len(mine), len(other)), np.float32)
    norms = None if j[0].start else np.zeros(len(mine))
    some = [(p, q) for p in _within(i) for q in _within(j) if not same or q.start <= p.start]
    # Written again for each block: new memory, cleared by the system, takes as long as its filling.
    width, term = min(WIDE, A.shape[1]), np.empty((TILE, TILE), np.float32)
    left = np.empty((len(mine), width), np.float32)
    right = None if same else np.empty((len(other), width), np.float32)
    for block in split_range(A.shape[1], WIDE):
        a = standardise_block(mine, mean, scale, block, left)
        b = a if same else standardise_block(other, mean, scale, block, right)
        for p, q in some:
            out = term[: p.stop - p.start, : q.stop - q.start]
            # numpy sees where one tile is on both sides, and computes half the products.
            known = product[p, q]
            known += np.matmul(a[p], b[q].T, out=out)
        if norms is not None:
            norms += np.einsum("ij,ij->i", a, a, dtype=np.float64)
    for p, q in some if same else ():
        product[q, p] = product[p, q].T
    return product, norms


def _whole(strip):
    return slice(strip[0].start, strip[-1].stop)


def _within(strip):
    """Give the tiles of a strip, counted from its first row."""
    return [slice(t.start - strip[0].start, t.stop - strip[0].start) for t in strip]


# Up to so many new rows are taken to the known ones one by one; more of them make tiles.
BATCH_INVARIANT_ROWS = 32
# Known rows turned into float32 at once, few enough to stay in the processor's cache.
CHUNK = 16


def compute_squared_distances(X, mean, scale):
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
    product, norms = compute_gram(X, mean, scale)
    distances = _assemble_distances(product, norms, norms)
    np.fill_diagonal(distances, 0.0)
    return distances, norms


def compute_distances_to(rows, X, norms, mean, scale):
    """Squared Euclidean distances of new rows to known ones, all standardised.

    Parameters
    ----------
    rows : ndarray of shape (m, d), any real dtype
    X : ndarray of shape (n, d), any real dtype
    norms : ndarray of shape (n,), float64
        Of the rows of X, from `compute_squared_distances`.
    mean, scale : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (m, n), float32
    """
    if len(rows) <= BATCH_INVARIANT_ROWS:
        product, row_norms = _compute_row_products(rows, X, mean, scale)
    else:
        product, row_norms = compute_cross_gram(rows, X, mean, scale)
    return _assemble_distances(product, row_norms, norms)


def _compute_row_products(rows, X, mean, scale):
    """Products of a few new rows with many known ones, up to a constant for each new row.

    The scale of both sides goes to the new rows, so that the known ones are read just once, as
    they are: for a single photo, reading them is the work. That leaves the known ones' mean in
    the products, which the norms given back make good. Each new row has a product of its own:
    what is asked with it does not change a bit of its answer.
    """
    part = standardise_block(rows, mean, scale, slice(None))
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


def _assemble_distances(product, row_norms, column_norms):
    product *= -2.0
    product += row_norms[:, None]
    product += column_norms[None, :]
    return np.maximum(product, 0.0, out=product)


def apply_rbf(distances, gamma):
    """``exp(-gamma * d^2)``, in place.

    Parameters
    ----------
    distances : ndarray of float32
        Squared distances; overwritten.
    gamma : float, > 0
    """
    distances *= -np.float32(gamma)
    return np.exp(distances, out=distances)
