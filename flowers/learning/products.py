"""Scalar products of standardised rows, in tiles: the same bits, whoever computes them.

A tile is the product of some rows by some rows, on one thread, block of columns after block. A
task is a square of tiles, whose rows are standardised once for all of them: the number of workers
decides how large it is, and does not change a tile. The workers are those of
``flowers.base.parallel.use_workers``.
"""

from math import ceil, isqrt

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from flowers.base.parallel import open_shared, parallel_map, share_arrays
from flowers.learning.standard import blocks, standardised

# Columns of a block: 512 rows of them as float32 are 16 MB, which the system gives in large pages.
WIDE = 8192
# Rows of a tile, at most, and what their number is a multiple of but in the last one.
TILE, ROUND = 512, 32
# Tiles along a side of a task, at most: the standardised rows of both sides are then 67 MB.
SIDE = 2


def tiles(n):
    """Slices of at most ``TILE`` rows that cover `n`: one, or an even number of about a size."""
    count = ceil(n / TILE)
    count += count % 2 if count > 1 else 0
    return blocks(n, ROUND * ceil(n / count / ROUND)) if count else []


def strips(n, count):
    """Put the tiles of `n` rows together: `count` strips at least, where there are so many tiles.

    Parameters
    ----------
    n, count : int

    Returns
    -------
    list of list of slice
    """
    some = tiles(n)
    side = min(SIDE, max(1, len(some) // count))
    return [some[k : k + side] for k in range(0, len(some), side)]


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
    # Four tasks for each worker, or more: s strips make (s^2 + s) / 2 pairs.
    some = strips(len(X), isqrt(8 * joblib.effective_n_jobs(None)))
    # Those on the diagonal are half the work: they come last, to even out the workers.
    pairs = [(i, j) for k, i in enumerate(some) for j in some[:k]] + [(i, i) for i in some]
    product, norms = np.empty((len(X), len(X)), np.float32), np.empty(len(X))
    for i, j, part in _tasks(X, X, mean, scale, pairs, norms):
        product[i, j] = part
        product[j, i] = part.T
    return product, norms


def products_to(rows, X, mean, scale):
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
    new = strips(len(rows), 1)
    known = strips(len(X), ceil(2 * joblib.effective_n_jobs(None) / len(new)))
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
    for block in blocks(A.shape[1], WIDE):
        a = standardised(mine, mean, scale, block, left)
        b = a if same else standardised(other, mean, scale, block, right)
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
