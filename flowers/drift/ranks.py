"""Ranks of new photos among those before: conformal p-values, and the order they are taken in.

Vovk, Gammerman & Shafer 2022, "Algorithmic Learning in a Random World", 2nd ed., ch. 2.
"""

import numpy as np

# Photos that come together are taken in the order of a hash. Bursts of a class are not exchangeable
# one by one, and nearly are so block by block. A change is seen up to so many photos later.
BLOCK = 100
# Counts that are held in memory at a time.
AT_ONCE = 2**22


def codes_of(values):
    """Whole numbers in the same order as the values, equal where those are.

    Parameters
    ----------
    values : ndarray of shape (n, d)

    Returns
    -------
    ndarray of shape (n, d), int32, each column from 0 on without a gap
    """
    columns = [np.unique(column, return_inverse=True)[1].ravel() for column in values.T]
    return np.stack(columns, axis=1).astype(np.int32)


def p_values(codes, m, ties):
    """Conformal p-value of each value among those before it: its rank, ties broken as told.

    Parameters
    ----------
    codes : ndarray of shape (m + n,), int, >= 0
        First the held-out photos, then the stream in the order of time (`codes_of`).
    m : int
    ties : ndarray of shape (n,), range (0, 1)

    Returns
    -------
    ndarray of shape (n,), range (0, 1)
        Independent and uniform where the order of all m + n is chance.
    """
    kinds, n = int(codes.max()) + 1, len(ties)
    seen, found = np.bincount(codes[:m], minlength=kinds).astype(np.int32), np.empty(n)
    # About as much work within blocks as between them; counts within a block fit one byte.
    size = min(max(32, int(2 * np.sqrt(kinds))), 255)
    # Blocks at a time, for memory.
    step = size * max(1, AT_ONCE // kinds)
    for start in range(0, n, step):
        part = codes[m + start : m + start + step]
        less, equal, seen = _before(part, seen, size)
        rank = less + ties[start : start + step] * (equal + 1)
        found[start : start + step] = rank / (m + start + np.arange(len(part)) + 1)
    return found


def _before(codes, seen, size):
    """How many values before each are less and equal, and how many of each kind there are then.

    A block of `size`, at most 255, is compared with all before it by counting, and within itself
    pair by pair.
    """
    n, kinds = len(codes), len(seen)
    blocks = -(-n // size)
    # One block below the other, (size, blocks): the fill at the end is before nothing.
    rows = np.full(blocks * size, kinds, np.int16 if kinds < 2**15 else np.int32)
    rows[:n] = codes
    rows = np.ascontiguousarray(rows.reshape(blocks, size).T)
    less, equal = np.zeros((2, size, blocks), np.uint8)
    for lag in range(1, size):
        less[lag:] += rows[:-lag] < rows[lag:]
        equal[lag:] += rows[:-lag] == rows[lag:]
    less, equal = less.T.ravel()[:n], equal.T.ravel()[:n]
    # Of each kind, how many there are before each block; then those of lower kinds as well.
    own = np.arange(n) // size * kinds + codes
    before = np.empty((blocks + 1, kinds), np.int32)
    before[0] = seen
    before[1:] = np.bincount(own, minlength=blocks * kinds).reshape(blocks, kinds)
    np.cumsum(before, axis=0, out=before)
    same, upto = before.ravel()[own], before[-1].copy()
    np.cumsum(before, axis=1, out=before)
    return less + before.ravel()[own] - same, equal + same, upto


def order(ties):
    """Order in which photos are bet on: each full block as the last digits of its ties are.

    Parameters
    ----------
    ties : ndarray of shape (n,), range (0, 1)

    Returns
    -------
    ndarray of shape (n,), int64
    """
    found, full = np.arange(len(ties)), len(ties) // BLOCK * BLOCK
    # Not by the ties themselves: equal scores would rise within a block.
    digits = (ties[:full] * 2**16 % 1).reshape(-1, BLOCK)
    found[:full] = (np.argsort(digits, axis=1) + np.arange(0, full, BLOCK)[:, None]).ravel()
    return found
