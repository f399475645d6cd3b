"""Near-duplicate photos share a group."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers.parallel import each, on_threads

THUMBNAIL = 16
# Rows and columns of a block of the correlation matrix: 2,048 x 2,048 float32 = 17 MB. With the
# thumbnails, twice 3 kB a photo, that is all the memory it takes: 0.7 GB for 100,000 photos.
ROWS = 2048


def thumbnails(images):
    """Photos reduced to 16x16 by the mean of each cell.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.

    Returns
    -------
    ndarray of shape (n, 16, 16, 3), float32, range [0, 255]
    """
    n, side = images.shape[:2]
    cell = side // THUMBNAIL
    small = np.empty((n, THUMBNAIL, THUMBNAIL, 3), dtype=np.float32)
    for i, image in enumerate(images):
        small[i] = image.reshape(THUMBNAIL, cell, THUMBNAIL, cell, 3).mean(axis=(1, 3))
    return small


def unit_rows(small):
    """Thumbnails as rows of zero mean and unit length, whose products are correlations."""
    rows = small.reshape(len(small), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1.0)
    return rows


def twin_pairs(images, threshold):
    """Pairs of photos whose thumbnails correlate, one of them possibly mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the 768 colour values above which two photos are twins.

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    rows = unit_rows(thumbnails(images))
    starts = range(0, len(rows), ROWS)
    tasks = ((rows, i, j, threshold) for i in starts for j in starts if i <= j)
    with on_threads():
        found, strength = map(np.concatenate, zip(*each(_block_pairs, tasks), strict=True))
    order = np.lexsort(found.T[::-1])
    return found[order], strength[order]


def _block_pairs(rows, top, left, threshold):
    """Pairs of a block on or above the diagonal, and their correlation."""
    some, others = rows[top : top + ROWS], rows[left : left + ROWS]
    mirrored = others.reshape(-1, THUMBNAIL, THUMBNAIL, 3)[:, :, ::-1].reshape(others.shape)
    correlation = some @ others.T
    np.maximum(correlation, some @ mirrored.T, out=correlation)
    i, j = np.nonzero(correlation > threshold)
    later = j + left > i + top
    i, j = i[later], j[later]
    return np.column_stack([i + top, j + left]), correlation[i, j]


def groups_of(pairs, n):
    """Give the connected components of the twin pairs, numbered by first appearance.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def pairs_to_show(pairs, correlation, labels, count):
    """Choose twins to look at: those with two labels first, then the faintest likeness.

    Parameters
    ----------
    pairs, correlation : ndarray
        From `twin_pairs`.
    labels : ndarray of shape (n,)
    count : int

    Returns
    -------
    ndarray of shape (at most 2 * `count`,), int64
        Rows, the two of each pair side by side.
    """
    mixed = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return pairs[np.lexsort((correlation, ~mixed))[:count]].ravel()
