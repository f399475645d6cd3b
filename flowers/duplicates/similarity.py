"""Pairs of rows that correlate, one of them possibly mirrored, without most of the products.

With ``e`` and ``o`` the parts of a row that a mirror leaves as it is and turns round, the product
of two rows is ``e e' + o o'``; if one is mirrored, it is ``e e' - o o'``. The larger of both,
``e e' + |o o'|``, takes half the work. Most of it lies in few directions. What two rows have in all
others adds at most the product of the lengths of these rests (Cauchy-Schwarz), so that only few
pairs may reach a threshold; only these are looked at in full.
"""

import numpy as np

# Of the squares of all rows, what the few directions hold.
SHARE = 0.75
SAMPLE = 4096  # rows from which they are learnt
# What float32 may lose: of a rest's square, and of a product of two rows of unit length.
LOST_SQUARE, LOST = np.float32(1e-5), 1e-4
# Rows and columns of a tile of products: 256 x 2,048 float32 = 2 MB, near a core.
ROWS, COLUMNS = 256, 2048
# Pairs that are looked at one by one at once, 5 MB of rows; in a tile with a larger share of them
# than MOST all pairs are.
PAIRS, MOST = 1024, 1 / 32


class CorrelationIndex:
    """Known rows, to be asked which of them correlate with others.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32
        Of unit length, or 0.
    mirrored : callable
        Gives rows of mirrored photos: the same numbers in another order, and twice mirrored in
        their own.
    """

    def __init__(self, rows, mirrored):
        self.rows, self.mirrored = rows, mirrored
        self._directions = _directions(rows, mirrored)
        self._even, self._odd = self._parts(rows)

    def query(self, rows, threshold, start=0):
        """Where rows or their mirror images correlate with known ones.

        Parameters
        ----------
        rows : ndarray of shape (m, d), float32
            Of unit length, or 0.
        threshold : float in (0, 1)
        start : int, optional
            The first known row that is looked at.

        Returns
        -------
        i, j : ndarray of shape (k,), int64
            Numbers of the rows, and of known rows.
        correlation : ndarray of shape (k,), float32
            Above the threshold, the larger of the two.
        """
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
        for top in range(0, len(rows), ROWS):
            some = rows[top : top + ROWS]
            parts = self._parts(some)
            for left in range(start, len(self.rows), COLUMNS):
                i, j, correlation = self._tile(some, parts, left, threshold)
                found.append((i + top, j + left, correlation))
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    def _parts(self, rows):
        """Even and odd parts in the few directions; the length of the rest is one more even one."""
        even, odd = (rows @ directions for directions in self._directions)
        rest = sum(
            sign * np.einsum("ij,ij->i", a, a) for sign, a in ((1, rows), (-1, even), (-1, odd))
        )
        rest = np.sqrt(np.maximum(rest, 0) + LOST_SQUARE)
        return np.column_stack([even, rest]), odd

    def _tile(self, rows, parts, left, threshold):
        """`query` of a tile, from its edges."""
        known = slice(left, left + COLUMNS)
        even, odd = parts
        most = odd @ self._odd[known].T
        np.abs(most, out=most)
        most += even @ self._even[known].T
        near = np.flatnonzero(most > np.float32(threshold - LOST))
        if len(near) > MOST * most.size:
            correlation = rows @ self.rows[known].T
            np.maximum(correlation, self.mirrored(rows) @ self.rows[known].T, out=correlation)
            i, j = np.nonzero(correlation > threshold)
            return i, j, correlation[i, j]
        i, j = np.divmod(near, most.shape[1])
        correlation = np.empty(len(near), np.float32)
        for k in range(0, len(near), PAIRS):
            pairs = slice(k, k + PAIRS)
            ours, theirs = rows[i[pairs]], self.rows[known][j[pairs]]
            either = (
                np.einsum("ij,ij->i", a, theirs, dtype=np.float64)
                for a in (ours, self.mirrored(ours))
            )
            np.maximum(*either, out=correlation[pairs])
        more = correlation > threshold
        return i[more], j[more], correlation[more]


def _directions(rows, mirrored):
    """Orthonormal even and odd directions that hold ``SHARE``, each of shape (d, some), float32."""
    some = rows[:: max(1, len(rows) // SAMPLE)]
    both = np.concatenate([some, mirrored(some)])
    # Of rows and their mirror images together: its eigenvectors are even or odd.
    squares = (both.T @ both).astype(np.float64)
    turned = mirrored(squares)
    parts = [np.linalg.eigh(squares + sign * turned) for sign in (1, -1)]
    strengths = np.concatenate([strength for strength, _ in parts])
    strongest = np.sort(strengths)[::-1]
    held = np.cumsum(strongest) >= SHARE * strongest.sum()
    least = strongest[held.argmax()]
    return [np.float32(vectors[:, strength >= least]) for strength, vectors in parts]
