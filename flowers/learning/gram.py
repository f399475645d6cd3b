"""Tiled Gram matrices and RBF kernels of standardised rows, bit-identical for any worker count.

A tile is the product of some rows with some rows, computed by one thread, one block of columns
after the other. A task multiplies two tile rows, each standardised once for all its tiles. The
number of workers changes the size of a task, but no tile. The workers are those of
``flowers.base.parallel.use_workers``.
"""

from math import ceil, isqrt

import numpy as np
from threadpoolctl import threadpool_limits

from flowers.base.parallel import count_workers, open_shared, parallel_map, share_arrays, track
from flowers.learning.standardisation import split_range, standardise_block

# Columns of a block: 512 rows of them as float32 are 16 MB, which the system gives in large pages.
TILE_COLUMNS = 8192
TILE = 512  # maximum number of rows of a tile
TILE_MULTIPLE = 32  # of which their number is a multiple, but in the last tile
# Maximum number of tiles in a tile row: the standardised rows of both sides are then 67 MB.
MAX_TILES = 2
# Up to this number of new rows each has a product of its own, whose bits do not depend on the
# batch; more rows are multiplied in tiles.
BATCH_INVARIANT_ROWS = 32
# Training rows above which a Gram matrix is avoided where possible, for its memory and, somewhat
# above it, for its time. docs/scale.md has the figures.
GRAM_ROWS = 10_000
# Below about -87 the kernel would be a denormal number, on which processors are very slow.
MIN_EXPONENT = -60
# Training rows converted to float32 at once, few enough to stay in the processor's cache.
CHUNK_ROWS = 16


def make_tiles(n):
    """Split `n` rows into slices of at most ``TILE``: one, or an even number of similar size."""
    count = ceil(n / TILE)
    count += count % 2 if count > 1 else 0
    return split_range(n, TILE_MULTIPLE * ceil(n / count / TILE_MULTIPLE)) if count else []


def make_tile_rows(n, count):
    """Group the tiles of `n` rows into tile rows, at least `count` where there are enough tiles."""
    tiles = make_tiles(n)
    size = min(MAX_TILES, max(1, len(tiles) // count))
    return [tiles[k : k + size] for k in range(0, len(tiles), size)]


def compute_gram(X, mean, scale):
    """Compute the Gram matrix of standardised rows from half of its tiles.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
        From `flowers.learning.standardisation.compute_moments`.

    Returns
    -------
    gram : ndarray of shape (n, n), float32
    norms : ndarray of shape (n,), float64
        Squared norms of the standardised rows.
    """
    # At least four tasks for each worker: t tile rows make (t^2 + t) / 2 pairs.
    tile_rows = make_tile_rows(len(X), isqrt(8 * count_workers()))
    # Pairs on the diagonal are half the work: they come last, to balance the workers.
    pairs = [(i, j) for k, i in enumerate(tile_rows) for j in tile_rows[:k]]
    pairs += [(i, i) for i in tile_rows]
    gram = np.empty((len(X), len(X)), np.float32)
    norms = np.empty(len(X))
    for i, j, part in _map_products(X, X, mean, scale, pairs, norms):
        gram[i, j] = part
        gram[j, i] = part.T
    return gram, norms


def compute_cross_gram(rows, X, mean, scale):
    """Compute the products of many new rows (m, d) with training rows X (n, d), all standardised.

    Returns them, (m, n), and the squared norms of the new rows, (m,); see `compute_gram`.
    """
    new = make_tile_rows(len(rows), 1)
    training = make_tile_rows(len(X), ceil(2 * count_workers() / len(new)))
    pairs = [(i, j) for i in new for j in training]
    gram = np.empty((len(rows), len(X)), np.float32)
    norms = np.empty(len(rows))
    for i, j, part in _map_products(rows, X, mean, scale, pairs, norms):
        gram[i, j] = part
    return gram, norms


def _map_products(A, B, mean, scale, pairs, norms):
    """Yield the products of pairs of tile rows of A and B; fill in the squared norms of A."""
    with threadpool_limits(1, "blas"), share_arrays(A, B, mean, scale) as shared:
        products = parallel_map(_multiply_tile_rows, ((*shared, i, j) for i, j in pairs))
        products = track(products, len(pairs), "kernel values")
        for (i, j), (part, squares) in zip(pairs, products, strict=True):
            if squares is not None:
                norms[_join_tiles(i)] = squares
            yield _join_tiles(i), _join_tiles(j), part


def _multiply_tile_rows(A, B, mean, scale, i, j):
    """Product of tile row i of A and j of B; squared norms of i if j is the first one of B."""
    A, B, mean, scale = (open_shared(array) for array in (A, B, mean, scale))
    same = A is B and i == j
    left_rows = A[_join_tiles(i)]
    right_rows = B[_join_tiles(j)]
    product = np.zeros((len(left_rows), len(right_rows)), np.float32)
    norms = None if j[0].start else np.zeros(len(left_rows))
    tiles = [(p, q) for p in _shift_tiles(i) for q in _shift_tiles(j)]
    tiles = [(p, q) for p, q in tiles if not same or q.start <= p.start]
    # Buffers are reused: the system would clear new memory, which takes as long as filling it.
    width = min(TILE_COLUMNS, A.shape[1])
    term = np.empty((TILE, TILE), np.float32)
    left_buffer = np.empty((len(left_rows), width), np.float32)
    right_buffer = None if same else np.empty((len(right_rows), width), np.float32)
    for block in split_range(A.shape[1], TILE_COLUMNS):
        left = standardise_block(left_rows, mean, scale, block, left_buffer)
        right = left if same else standardise_block(right_rows, mean, scale, block, right_buffer)
        for p, q in tiles:
            out = term[: p.stop - p.start, : q.stop - q.start]
            # With the same tile on both sides numpy computes half of the products.
            tile = product[p, q]
            tile += np.matmul(left[p], right[q].T, out=out)
        if norms is not None:
            norms += np.einsum("ij,ij->i", left, left, dtype=np.float64)
    for p, q in tiles if same else ():
        product[q, p] = product[p, q].T
    return product, norms


def _join_tiles(tiles):
    return slice(tiles[0].start, tiles[-1].stop)


def _shift_tiles(tiles):
    """Tiles of a tile row, relative to its first row."""
    return [slice(t.start - tiles[0].start, t.stop - tiles[0].start) for t in tiles]


def compute_squared_distances(X, mean, scale):
    """Compute the squared Euclidean distances between all standardised rows.

    ``|a|^2 + |b|^2 - 2 a.b`` from products in float32 and norms in float64, clipped at 0. Meant
    for features such as pixels and histograms, whose standard deviation is not tiny in comparison
    with their mean: at a mean of 100,000 standard deviations float32 has no digits left.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)

    Returns
    -------
    distances : ndarray of shape (n, n), float32
    norms : ndarray of shape (n,), float64
        Squared norms of the standardised rows.
    """
    gram, norms = compute_gram(X, mean, scale)
    distances = _to_distances(gram, norms, norms)
    np.fill_diagonal(distances, 0.0)
    return distances, norms


def compute_distances_to(rows, X, norms, mean, scale):
    """Compute the squared Euclidean distances of new rows to training rows, all standardised.

    Parameters
    ----------
    rows, X : ndarray of shape (m, d), (n, d), any real dtype
    norms : ndarray of shape (n,), float64
        Squared norms of the rows of X, from `compute_squared_distances`.
    mean, scale : ndarray of shape (d,)

    Returns
    -------
    ndarray of shape (m, n), float32
    """
    compute = _multiply_one_by_one if len(rows) <= BATCH_INVARIANT_ROWS else compute_cross_gram
    product, row_norms = compute(rows, X, mean, scale)
    return _to_distances(product, row_norms, norms)


def _multiply_one_by_one(rows, X, mean, scale):
    """Products of a few new rows with training rows, up to a constant for each new row.

    The new rows take the scale of both sides, so that the training rows are read once, as they
    are: reading them dominates the time for one image. The mean of the training rows is left in
    the products; the returned norms correct for it. Each new row has a product of its own, so that
    its bits do not depend on the other rows of the batch.
    """
    part = standardise_block(rows, mean, scale, slice(None))
    norms = np.einsum("ij,ij->i", part, part, dtype=np.float64)
    part /= scale.astype(np.float32)
    offset = np.einsum("ij,j->i", part, mean)
    product = np.empty((len(rows), len(X)), np.float32)
    for chunk in split_range(len(X), CHUNK_ROWS):
        training = X[chunk].astype(np.float32)
        for row, values in zip(part, product, strict=True):
            np.dot(training, row, out=values[chunk])
    return product, norms + 2.0 * offset


def _to_distances(product, row_norms, column_norms):
    product *= -2.0
    product += row_norms[:, None]
    product += column_norms[None, :]
    return np.maximum(product, 0.0, out=product)


def apply_rbf(distances, gamma):
    """Compute ``exp(-gamma * distances)`` of squared distances, float32, in place."""
    distances *= -np.float32(gamma)
    np.clip(distances, MIN_EXPONENT, 0, out=distances)
    return np.exp(distances, out=distances)
