"""Near-duplicates by colour: thumbnails that correlate."""

import numpy as np

from flowers.base.parallel import drop_pages, parallel_map, use_threads
from flowers.duplicates.similarity import find_pairs, normalise_rows

THUMBNAIL = 16
TASK_IMAGES = 256  # images in a task


def compute_thumbnails(images):
    """Reduce images to 16x16 pixels, each the mean of a cell.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.

    Returns
    -------
    ndarray of shape (n, 16, 16, 3), float32, range [0, 255]
    """
    with use_threads():
        tasks = ((images, start) for start in range(0, len(images), TASK_IMAGES))
        parts = list(parallel_map(_compute_block, tasks))
    return np.concatenate([np.empty((0, THUMBNAIL, THUMBNAIL, 3), np.float32), *parts])


def _compute_block(images, start):
    block = images[start : start + TASK_IMAGES]
    cell = images.shape[1] // THUMBNAIL
    thumbnails = np.empty((len(block), THUMBNAIL, THUMBNAIL, 3), dtype=np.float32)
    for target, image in zip(thumbnails, block, strict=True):
        # Rows first: numpy adds long rows fast.
        lines = image.reshape(THUMBNAIL, cell, -1).sum(axis=1, dtype=np.uint32)
        cells = lines.reshape(THUMBNAIL, THUMBNAIL, cell, 3).sum(axis=2, dtype=np.uint32)
        target[:] = cells / cell**2
    drop_pages(images)
    return thumbnails


def find_colour_pairs(images, threshold):
    """Find pairs of images whose thumbnails correlate, also if one is mirrored.

    A thumbnail of one grey correlates with nothing; such images are paired if they are equal, each
    with the next one.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the 768 colour values above which two images are near-duplicates.

    Returns
    -------
    pairs, correlation : ndarray
        As in `flowers.duplicates.similarity.find_pairs`.
    """
    thumbnails = compute_thumbnails(images)
    level = thumbnails[:, 0, 0, 0]
    grey = np.flatnonzero((thumbnails == level[:, None, None, None]).all(axis=(1, 2, 3)))
    rows = normalise_rows(thumbnails)
    del thumbnails
    pairs, correlation = find_pairs(rows, _mirror_rows, threshold)
    if not len(grey):
        return pairs, correlation
    grey = grey[np.argsort(level[grey], kind="stable")]
    equal = level[grey][1:] == level[grey][:-1]
    pairs = np.concatenate([pairs, np.column_stack([grey[:-1], grey[1:]])[equal]])
    correlation = np.concatenate([correlation, np.ones(equal.sum(), np.float32)])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], correlation[order]


def _mirror_rows(rows):
    return rows.reshape(-1, THUMBNAIL, THUMBNAIL, 3)[:, :, ::-1].reshape(rows.shape)
