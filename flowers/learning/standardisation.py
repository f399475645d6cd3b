"""Standardisation of features, in blocks of columns, so that memory use stays flat."""

import numpy as np

from flowers.base.parallel import open_shared, parallel_map, share_arrays

BLOCK_COLUMNS = 2048  # 512 rows of them as float32 are 4 MB
# Columns whose moments are computed at once: 4,000 rows of them as float64 are 8 MB, which the
# allocator reuses without clearing.
NARROW_COLUMNS = 256
# Rows of bytes whose sum of squares is exact in float32: 256 * 255^2 < 2^24.
EXACT_ROWS = 256
# Rows standardised at once: 16 rows of 8,192 float32 stay in the processor's cache for all steps.
CACHED_ROWS = 16


def split_range(length, width=BLOCK_COLUMNS):
    """Split ``range(length)`` into slices of at most `width`."""
    return [slice(i, min(i + width, length)) for i in range(0, length, width)]


def compute_moments(X):
    """Compute mean and standard deviation of each column.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype

    Returns
    -------
    mean, scale : ndarray of shape (d,), float64
        `scale` is 1 where a column is constant, as in scikit-learn's ``StandardScaler``.
    """
    blocks = split_range(X.shape[1])
    with share_arrays(X) as (shared,):
        moments = list(parallel_map(_compute_block_moments, ((shared, b) for b in blocks)))
    mean, scale = (np.concatenate(parts) for parts in zip(*moments, strict=True))
    # The bound below which StandardScaler takes a column as constant.
    eps = np.finfo(np.float64).eps
    constant = scale**2 <= len(X) * eps * scale**2 + (len(X) * mean * eps) ** 2
    scale[constant] = 1.0
    return mean, scale


def _compute_block_moments(X, block):
    X = open_shared(X)[:, block]
    if X.dtype == np.uint8:
        return _compute_byte_moments(X)
    moments = [_compute_float_moments(X[:, b]) for b in split_range(X.shape[1], NARROW_COLUMNS)]
    return tuple(np.concatenate(parts) for parts in zip(*moments, strict=True))


def _compute_float_moments(X):
    part = X.astype(np.float64)
    mean = part.mean(axis=0)
    part -= mean
    np.square(part, out=part)
    return mean, np.sqrt(part.mean(axis=0))


def _compute_byte_moments(X):
    """From sums of integers, which are exact."""
    total, squares = np.zeros((2, X.shape[1]))
    for rows in split_range(len(X), EXACT_ROWS):
        part = X[rows].astype(np.float32)
        ones = np.ones(len(part), np.float32)
        total += ones @ part
        part *= part
        squares += ones @ part
    return total / len(X), np.sqrt(len(X) * squares - total**2) / len(X)


def standardise_block(X, mean, scale, block, out=None):
    """Standardise a slice of columns.

    Parameters
    ----------
    X : ndarray of shape (n, d), any real dtype
    mean, scale : ndarray of shape (d,)
    block : slice
    out : ndarray of shape (>= n, >= width of the block), float32, optional
        Memory for the result.

    Returns
    -------
    ndarray of shape (n, width of the block), float32
    """
    part = X[:, block]
    out = np.empty(part.shape, np.float32) if out is None else out[: len(part), : part.shape[1]]
    mean = mean[block].astype(np.float32)
    factor = (1.0 / scale[block]).astype(np.float32)
    for rows in split_range(len(part), CACHED_ROWS):
        target = out[rows]
        target[:] = part[rows]
        target -= mean
        target *= factor
    return out
