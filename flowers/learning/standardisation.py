"""Standardisation of features, in blocks of columns, so that memory stays flat."""

import numpy as np

from flowers.base.parallel import open_shared, parallel_map, share_arrays

# One block of columns: 2,048 features of 512 rows as float32 = 4 MB.
BLOCK = 2048
# Columns whose moments are taken at once: 4,000 rows of them as float64 are 8 MB, which the system
# gives again and again without clearing them anew.
NARROW = 256
# Rows of bytes whose squares a float32 can sum without rounding: 256 * 255^2 < 2^24.
BYTES = 256
# Rows standardised at once: 16 rows of 8,192 float32 stay in the processor's cache for all steps.
THIN = 16


def split_range(n_columns, width=BLOCK):
    """Slices of at most `width` columns that cover ``n_columns``."""
    return [slice(i, min(i + width, n_columns)) for i in range(0, n_columns, width)]


def compute_moments(X):
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
    some = split_range(X.shape[1])
    with share_arrays(X) as (stored,):
        for b, found in zip(some, parallel_map(_moments, ((stored, b) for b in some)), strict=True):
            mean[b], scale[b] = found
    # The bound below which StandardScaler calls a column constant.
    eps = np.finfo(np.float64).eps
    constant = scale**2 <= len(X) * eps * scale**2 + (len(X) * mean * eps) ** 2
    scale[constant] = 1.0
    return mean, scale


def _moments(X, block):
    X = open_shared(X)[:, block]
    if X.dtype == np.uint8:
        return _byte_moments(X)
    found = [_narrow_moments(X[:, narrow]) for narrow in split_range(X.shape[1], NARROW)]
    return tuple(np.concatenate(some) for some in zip(*found, strict=True))


def _narrow_moments(X):
    part = X.astype(np.float64)
    mean = part.mean(axis=0)
    part -= mean
    np.square(part, out=part)
    return mean, np.sqrt(part.mean(axis=0))


def _byte_moments(X):
    """From sums of whole numbers, which are exact."""
    total, squares = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for rows in split_range(len(X), BYTES):
        part = X[rows].astype(np.float32)
        ones = np.ones(len(part), np.float32)
        total += ones @ part
        part *= part
        squares += ones @ part
    return total / len(X), np.sqrt(len(X) * squares - total**2) / len(X)


def standardise_block(X, mean, scale, block, out=None):
    """One block of columns of X with zero mean and unit variance, float32, in `out` if given."""
    part = X[:, block]
    out = np.empty(part.shape, np.float32) if out is None else out[: len(part), : part.shape[1]]
    mean, factor = mean[block].astype(np.float32), (1.0 / scale[block]).astype(np.float32)
    for rows in split_range(len(part), THIN):
        some = out[rows]
        some[:] = part[rows]
        some -= mean
        some *= factor
    return out
