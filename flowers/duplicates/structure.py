"""Near-duplicates by structure: oriented gradients, which other colours do not change."""

import math
from functools import lru_cache
from itertools import groupby

import numpy as np

from flowers.base.parallel import drop_pages, parallel_map, use_threads
from flowers.duplicates.similarity import CorrelationIndex, find_pairs, normalise_rows
from flowers.images import gradients

CELLS = 8
BINS = 9
# Gradient below which a cell counts as plain, so that noise is not taken for structure; 8-bit
# levels, summed over a cell.
PLAIN_GRADIENT = 8.0
BATCH_IMAGES = 16  # images, whose gradients fit into a core's cache
# Images in a task; their windows take 256 x 25 x 576 float32 = 15 MB, several times that while they
# are computed.
TASK_IMAGES = 256

# A window of an image: its left and upper edge and its length, as shares of the side, and the
# pixels it is reduced to. Copies that are saved small or blurred lose finer detail.
WHOLE = (0, 0, 1, 64)
# Frames, captions and backdrops change the region outside, and make distinct images similar.
MIDDLE = (0.2, 0.2, 0.6, 48)


def _spread_windows(share, steps):
    """Windows of one size, spread evenly over the image."""
    places = np.linspace(0, 1 - share, steps).tolist()
    return [(left, top, share, WHOLE[3]) for top in places for left in places]


# Windows that are compared with whole images; a crop is detected within about 5 % of the place and
# size of a window.
CROPS = [*_spread_windows(0.87, 3), *_spread_windows(0.75, 4)]


def compute_structure(images, window=WHOLE):
    """Compute histograms of oriented gradients of a window of images.

    As in Dalal & Triggs, CVPR 2005, but each cell counts once, without overlapping blocks: 8x8
    cells, 9 unsigned orientations, both interpolated linearly, divided by the length of the 3x3
    cells around, clipped at 0.2.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    window : tuple of four numbers
        As in ``WHOLE``; the last is a multiple of 8.

    Returns
    -------
    ndarray of shape (n, 576), float32, range [0, 0.2]
        By row, column and orientation.
    """
    tasks = ((images, start, [window]) for start in range(0, len(images), TASK_IMAGES))
    with use_threads():
        parts = [rows for (rows,) in parallel_map(_compute_windows, tasks)]
    return np.concatenate(parts) if parts else np.empty((0, CELLS * CELLS * BINS), np.float32)


def _compute_windows(images, start, windows):
    """`compute_structure` of windows of a block of images, (windows, n, 576) float32."""
    block = images[start : start + TASK_IMAGES]
    rows = np.empty((len(windows), len(block), CELLS * CELLS * BINS), dtype=np.float32)
    for first in range(0, len(block), BATCH_IMAGES):
        batch = slice(first, first + BATCH_IMAGES)
        grey = _average_colours(block[batch])
        histograms = np.empty((len(windows), len(grey), CELLS, CELLS, BINS), dtype=np.float32)
        # Windows with the same top and height share their reduced lines.
        by_height = groupby(range(len(windows)), lambda k: windows[k][1:])
        for (top, share, pixels), numbers in by_height:
            inside, weights = _compute_areas(grey.shape[1], top, share, pixels)
            lines = weights @ grey[:, inside]
            for k in numbers:
                inside, weights = _compute_areas(grey.shape[1], windows[k][0], share, pixels)
                _fill_histograms(lines[..., inside] @ weights.T, out=histograms[k])
        histograms = _normalise_cells(histograms.reshape(-1, CELLS, CELLS, BINS))
        rows[:, batch] = histograms.reshape(len(windows), len(grey), -1)
    drop_pages(images)
    return rows


def mirror_structure(rows):
    """Return the structure of mirrored images: cells and orientations change sides.

    Parameters
    ----------
    rows : ndarray of shape (n, 576)
        From `compute_structure`, of a window that is its own mirror image.

    Returns
    -------
    ndarray of the same shape
    """
    return rows.reshape(-1, CELLS, CELLS, BINS)[:, :, ::-1, ::-1].reshape(rows.shape)


def find_structure_pairs(images, threshold):
    """Find pairs of images whose middles correlate in structure, also if one is mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the structure above which two images are near-duplicates.

    Returns
    -------
    pairs, correlation : ndarray
        As in `flowers.duplicates.similarity.find_pairs`.
    """
    rows = normalise_rows(compute_structure(images, MIDDLE))
    return find_pairs(rows, mirror_structure, threshold)


def find_crop_pairs(images, threshold, bar=iter):
    """Find pairs of images of which one, possibly mirrored, correlates with a window of the other.

    The windows are ``CROPS``. A framed copy is detected too: the original is a window of it.

    Parameters
    ----------
    images, threshold
        As in `find_structure_pairs`.
    bar : callable, optional
        Wraps the iterable of blocks, for example in a progress bar.

    Returns
    -------
    pairs, correlation : ndarray
        As in `flowers.duplicates.similarity.find_pairs`.
    """
    index = CorrelationIndex(normalise_rows(compute_structure(images)), mirror_structure)
    tasks = ((images, start, index, threshold) for start in range(0, len(images), TASK_IMAGES))
    with use_threads():
        parts = parallel_map(_query_windows, tasks)
        starts = bar(range(0, len(images), TASK_IMAGES))
        blocks = [part for _, part in zip(starts, parts, strict=True)]
    i, j, correlation = map(np.concatenate, zip(*blocks, strict=True))
    i, j, correlation = _keep_strongest(i, j, correlation, len(images))
    return np.column_stack([i, j]), correlation


def _query_windows(images, start, index, threshold):
    """Pairs of images in a block with images that one of their windows matches."""
    windows = _compute_windows(images, start, CROPS)
    rows = normalise_rows(windows.reshape(-1, windows.shape[2]))
    i, j, correlation = index.query(rows, threshold)
    return _keep_strongest(start + i % windows.shape[1], j, correlation, len(index.rows))


def _keep_strongest(i, j, correlation, n):
    """Each pair of two images once, the smaller number first, with its highest correlation."""
    code = np.minimum(i, j) * n + np.maximum(i, j)
    order = np.lexsort((-correlation, code))
    code, first = np.unique(code[order], return_index=True)
    i, j = np.divmod(code, n)
    return i[i < j], j[i < j], correlation[order][first][i < j]


def _average_colours(images):
    """Mean of red, green and blue, (n, s, s); nine times as fast as ``mean``."""
    red, green, blue = (images[..., k] for k in range(3))
    grey = red.astype(np.float32)
    grey += green
    grey += blue
    grey /= np.float32(3)
    return grey


@lru_cache(maxsize=64)
def _compute_areas(side, edge, share, reduced):
    """Pixels of `side` inside a window, and their weights in each of its `reduced` parts."""
    ends = side * np.linspace(edge, edge + share, reduced + 1)[:, None]
    first = math.floor(ends[0, 0])
    last = min(math.ceil(ends[-1, 0]), side)
    pixel = np.arange(first, last)
    inside = np.minimum(ends[1:], pixel + 1) - np.maximum(ends[:-1], pixel)
    weights = np.maximum(inside, 0) * reduced / (side * share)
    return slice(first, last), weights.astype(np.float32)


def _fill_histograms(grey, out):
    """Write the strength of the gradients by cell and orientation to `out`, (n, 8, 8, 9)."""
    strength, turn = gradients.compute_polar_gradients(grey)
    # Orientations are unsigned: half a turn equals none.
    turn += (turn < 0) * np.float32(4)
    # Bin centres lie at half numbers, so that mirroring turns bin k into bin 8 - k.
    turn *= np.float32(BINS / 4)
    turn -= np.float32(0.5)
    weights = gradients.compute_triangle_weights(grey.shape[1], grey.shape[1] // CELLS)
    shares = gradients.iterate_orientations(strength, turn, range(BINS), (0, BINS - 1))
    for k, share in enumerate(shares):
        out[..., k] = weights @ share @ weights.T


def _normalise_cells(histograms):
    power = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(power[:, y : y + CELLS, x : x + CELLS] for y in range(3) for x in range(3))
    return np.minimum(histograms / (np.sqrt(around)[..., None] + PLAIN_GRADIENT), 0.2)
