"""Search for pairs of rows that correlate, also if one of them is mirrored.

Let ``e`` be the part of a row that mirroring keeps and ``o`` the part whose sign it changes. The
product of two rows is ``e e' + o o'``; if one row is mirrored, it is ``e e' - o o'``. The larger,
``e e' + |o o'|``, takes half the work. Most of it lies in few directions; the remainders of two
rows add at most the product of their lengths (Cauchy-Schwarz). Only pairs whose bound reaches the
threshold are computed in full.
"""

import numpy as np

from flowers.base.parallel import parallel_map, use_threads

# Share of the squared length of all rows that the kept directions hold.
VARIANCE_SHARE = 0.75
SAMPLE_ROWS = 4096  # rows that the directions are computed from
# Rounding errors of float32: of a squared remainder, and of a product of two rows of unit length.
REMAINDER_ERROR = np.float32(1e-5)
PRODUCT_ERROR = 1e-4
# Rows and columns of a tile of products: 256 x 2,048 float32 = 2 MB, which fit into a core's cache.
TILE_ROWS = 256
TILE_COLUMNS = 2048
BATCH_PAIRS = 1024  # computed together, 5 MB of rows
# In a tile with a larger share of candidates all pairs are computed.
MAX_CANDIDATE_SHARE = 1 / 32


def normalise_rows(rows):
    """Scale rows to mean 0 and length 1, so that their products are Pearson correlations.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)

    Returns
    -------
    ndarray of shape (n, d)
        Constant rows become 0.

    Examples
    --------
    >>> normalise_rows(np.array([[3.0, 3.0, 9.0, 9.0], [5.0, 5.0, 5.0, 5.0]]))
    array([[-0.5, -0.5,  0.5,  0.5],
           [ 0. ,  0. ,  0. ,  0. ]])
    """
    rows = rows.reshape(len(rows), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1.0)
    return rows


def find_pairs(rows, mirror, threshold):
    """Find all pairs of rows that correlate, in threads.

    Parameters
    ----------
    rows, mirror
        As in `CorrelationIndex`.
    threshold : float in (0, 1)

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    index = CorrelationIndex(rows, mirror)
    tasks = ((index, start, threshold) for start in range(0, len(rows), TILE_ROWS))
    with use_threads():
        parts = parallel_map(_find_later_rows, tasks)
        i, j, correlation = map(np.concatenate, zip(*parts, strict=True))
    order = np.lexsort((j, i))
    return np.column_stack([i, j])[order], correlation[order]


def _find_later_rows(index, start, threshold):
    """Pairs of the rows of a block with rows after them: (i, j, correlation)."""
    block = index.rows[start : start + TILE_ROWS]
    i, j, correlation = index.query(block, threshold, start=start)
    i += start
    later = j > i
    return i[later], j[later], correlation[later]


class CorrelationIndex:
    """Rows that can be searched for those that correlate with other rows.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32
        Of length 1, or 0.
    mirror : callable
        Returns the rows of mirrored images: the same numbers in another order; applied twice, it
        returns the original rows.
    """

    def __init__(self, rows, mirror):
        self.rows = rows
        self.mirror = mirror
        self._directions = _find_directions(rows, mirror)
        self._even, self._odd = self._project(rows)

    def query(self, rows, threshold, start=0):
        """Find the indexed rows that correlate with `rows` or with their mirror images.

        Parameters
        ----------
        rows : ndarray of shape (m, d), float32
            Of length 1, or 0.
        threshold : float in (0, 1)
        start : int, optional
            First indexed row to compare.

        Returns
        -------
        i, j : ndarray of shape (k,), int64
            Row numbers in `rows` and in the index.
        correlation : ndarray of shape (k,), float32
            Above the threshold, the larger of the direct and the mirrored one.
        """
        tiles = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
        for top in range(0, len(rows), TILE_ROWS):
            block = rows[top : top + TILE_ROWS]
            projection = self._project(block)
            for left in range(start, len(self.rows), TILE_COLUMNS):
                i, j, correlation = self._query_tile(block, projection, left, threshold)
                tiles.append((i + top, j + left, correlation))
        return tuple(map(np.concatenate, zip(*tiles, strict=True)))

    def _project(self, rows):
        """Even and odd parts in the kept directions; the even part ends with the remainder."""
        even, odd = (rows @ directions for directions in self._directions)
        rest = sum(
            sign * np.einsum("ij,ij->i", a, a) for sign, a in ((1, rows), (-1, even), (-1, odd))
        )
        rest = np.sqrt(np.maximum(rest, 0) + REMAINDER_ERROR)
        return np.column_stack([even, rest]), odd

    def _query_tile(self, rows, projection, left, threshold):
        """`query` for a block of rows and the indexed rows from `left` on."""
        columns = slice(left, left + TILE_COLUMNS)
        even, odd = projection
        bound = odd @ self._odd[columns].T
        np.abs(bound, out=bound)
        bound += even @ self._even[columns].T
        candidates = np.flatnonzero(bound > np.float32(threshold - PRODUCT_ERROR))
        if len(candidates) > MAX_CANDIDATE_SHARE * bound.size:
            correlation = rows @ self.rows[columns].T
            np.maximum(correlation, self.mirror(rows) @ self.rows[columns].T, out=correlation)
            i, j = np.nonzero(correlation > threshold)
            return i, j, correlation[i, j]
        i, j = np.divmod(candidates, bound.shape[1])
        correlation = np.empty(len(candidates), np.float32)
        for k in range(0, len(candidates), BATCH_PAIRS):
            pairs = slice(k, k + BATCH_PAIRS)
            first = rows[i[pairs]]
            second = self.rows[columns][j[pairs]]
            products = (
                np.einsum("ij,ij->i", a, second, dtype=np.float64)
                for a in (first, self.mirror(first))
            )
            np.maximum(*products, out=correlation[pairs])
        above = correlation > threshold
        return i[above], j[above], correlation[above]


def _find_directions(rows, mirror):
    """Orthonormal even and odd directions that hold ``VARIANCE_SHARE``, two (d, k) float32."""
    sample = rows[:: max(1, len(rows) // SAMPLE_ROWS)]
    both = np.concatenate([sample, mirror(sample)])
    # With the mirror images included, the eigenvectors are even or odd.
    squares = (both.T @ both).astype(np.float64)
    mirrored = mirror(squares)
    parts = [np.linalg.eigh(squares + sign * mirrored) for sign in (1, -1)]
    strengths = np.concatenate([strength for strength, _ in parts])
    strongest = np.sort(strengths)[::-1]
    reached = np.cumsum(strongest) >= VARIANCE_SHARE * strongest.sum()
    threshold = strongest[reached.argmax()]
    return [np.float32(vectors[:, strength >= threshold]) for strength, vectors in parts]
