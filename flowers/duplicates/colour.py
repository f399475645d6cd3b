"""Near-duplicate photos share a group."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers.base.parallel import drop_pages, parallel_map, use_threads
from flowers.duplicates.similarity import CorrelationIndex

THUMBNAIL = 16
# Photos whose pairs with all later ones are one task.
ROWS = 256


def compute_thumbnails(images):
    """Photos reduced to 16x16 by the mean of each cell.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.

    Returns
    -------
    ndarray of shape (n, 16, 16, 3), float32, range [0, 255]
    """
    with use_threads():
        parts = list(parallel_map(_thumbnails, ((images, k) for k in range(0, len(images), ROWS))))
    return np.concatenate([np.empty((0, THUMBNAIL, THUMBNAIL, 3), np.float32), *parts])


def _thumbnails(images, start):
    """`compute_thumbnails` of a block of photos."""
    block, cell = images[start : start + ROWS], images.shape[1] // THUMBNAIL
    small = np.empty((len(block), THUMBNAIL, THUMBNAIL, 3), dtype=np.float32)
    for target, image in zip(small, block, strict=True):
        # Rows first: numpy adds long rows fast.
        lines = image.reshape(THUMBNAIL, cell, -1).sum(axis=1, dtype=np.uint32)
        cells = lines.reshape(THUMBNAIL, THUMBNAIL, cell, 3).sum(axis=2, dtype=np.uint32)
        target[:] = cells / cell**2
    drop_pages(images)
    return small


def normalise_rows(small):
    """Thumbnails as rows of zero mean and unit length, whose products are correlations."""
    rows = small.reshape(len(small), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length > 0, length, 1.0)
    return rows


def find_colour_pairs(images, threshold):
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
    return find_pairs(normalise_rows(compute_thumbnails(images)), _mirrored, threshold)


def find_pairs(rows, mirrored, threshold):
    """Pairs of rows that correlate, one of them possibly mirrored, by all workers on threads.

    Parameters
    ----------
    rows, mirrored
        As of `CorrelationIndex`.
    threshold : float in (0, 1)

    Returns
    -------
    pairs, correlation : ndarray
        As of `find_colour_pairs`.
    """
    known = CorrelationIndex(rows, mirrored)
    with use_threads():
        parts = parallel_map(
            _with_later, ((known, start, threshold) for start in range(0, len(rows), ROWS))
        )
        i, j, correlation = map(np.concatenate, zip(*parts, strict=True))
    order = np.lexsort((j, i))
    return np.column_stack([i, j])[order], correlation[order]


def _with_later(known, start, threshold):
    """Where a block of rows correlates with those after each."""
    i, j, correlation = known.query(known.rows[start : start + ROWS], threshold, start=start)
    i += start
    later = j > i
    return i[later], j[later], correlation[later]


def _mirrored(rows):
    """Thumbnails as rows, mirrored."""
    return rows.reshape(-1, THUMBNAIL, THUMBNAIL, 3)[:, :, ::-1].reshape(rows.shape)


def group_pairs(pairs, n):
    """Give the connected components of the twin pairs, numbered by first appearance.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def select_pairs(pairs, correlation, labels, count):
    """Choose twins to look at: those with two labels first, then the faintest likeness.

    Parameters
    ----------
    pairs, correlation : ndarray
        From `find_colour_pairs`.
    labels : ndarray of shape (n,)
    count : int

    Returns
    -------
    ndarray of shape (at most 2 * `count`,), int64
        Rows, the two of each pair side by side.
    """
    mixed = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return pairs[np.lexsort((correlation, ~mixed))[:count]].ravel()
