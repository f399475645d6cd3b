"""Ranks of new photos among those before: conformal p-values, and the order they are taken in.

Vovk, Gammerman & Shafer 2022, "Algorithmic Learning in a Random World", 2nd ed., ch. 2.
"""

from math import isqrt

import numpy as np

# Photos that come together are taken in the order of a hash. Bursts of a class are not exchangeable
# one by one, and nearly are so block by block. A change is seen up to so many photos later.
BLOCK = 100
# Values that are compared pair by pair: about as much work as counting, in one byte.
SIDE = 32


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
    less, equal = _before(codes)
    rank = less[m:] + ties * (equal[m:] + 1)
    return rank / (m + np.arange(len(ties)) + 1)


def _before(codes):
    """How many values before each are less, and how many are equal.

    A code is two digits. Less are those with a lower first digit, and of those with the same first
    digit the ones with a lower second: few kinds of digits are soon counted.
    """
    base = isqrt(int(codes.max())) + 1
    kind = np.min_scalar_type(base)
    first = codes // base
    second = (codes - base * first).astype(kind)
    first = first.astype(kind)
    less, grouped = _lower(first, base), np.argsort(first, kind="stable")
    less[grouped] += _lower(second[grouped], base)
    # Not among those with the same first digit, though they stand before them in the groups.
    counts = np.bincount(codes, minlength=base**2).reshape(base, base)
    apart = counts.cumsum(axis=0) - counts
    less -= (apart.cumsum(axis=1) - apart).ravel()[codes]
    equal = np.empty(len(codes), int)
    # Numbers of up to 16 bits are sorted in a fraction of the time.
    slim = codes.astype(np.min_scalar_type(base**2))
    equal[np.argsort(slim, kind="stable")] = np.arange(len(codes))
    equal -= (counts.cumsum() - counts.ravel())[codes]
    return less, equal


def _lower(digits, base):
    """How many digits before each are lower.

    Each block is compared with all before it by counting, and within itself pair by pair.
    """
    n, blocks = len(digits), -(-len(digits) // SIDE)
    # One block below the other, (SIDE, blocks): the fill at the end is before nothing.
    rows = np.full(blocks * SIDE, base, digits.dtype)
    rows[:n] = digits
    rows = np.ascontiguousarray(rows.reshape(blocks, SIDE).T)
    within = np.zeros(rows.shape, np.uint8)
    for lag in range(1, SIDE):
        within[lag:] += rows[:-lag] < rows[lag:]
    own = np.arange(n) // SIDE * base + digits
    counts = np.bincount(own, minlength=blocks * base).reshape(blocks, base)
    before = counts.cumsum(axis=0)
    before -= counts
    lower = before.cumsum(axis=1)
    lower -= before
    return lower.ravel()[own] + within.T.ravel()[:n]


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
