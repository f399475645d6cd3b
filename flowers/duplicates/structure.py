"""Near-duplicates by structure: where edges run, whatever the colours."""

import math
from functools import lru_cache
from itertools import groupby

import numpy as np

from flowers.base.parallel import drop_pages, parallel_map, use_threads
from flowers.duplicates.colour import find_pairs, normalise_rows
from flowers.duplicates.similarity import CorrelationIndex
from flowers.images.gradients import (
    compute_polar_gradients,
    compute_triangle_weights,
    iterate_orientations,
)

CELLS = 8
BINS = 9
# Gradient below which a cell counts as plain, so that noise does not pass for structure; 8-bit
# levels, summed over a cell.
PLAIN = 8.0
BATCH = 16  # photos, whose gradients fit into a core's cache
# Photos that are one task; their windows take 256 x 25 x 576 float32 = 15 MB, and while they are
# made some times that.
ROWS = 256

# A window of a photo: its left and upper edge and its length, as shares of the side, and the
# pixels it is reduced to. Finer detail is lost in copies that are saved small or blurred.
WHOLE = (0, 0, 1, 64)
# Frames, captions and backdrops change what lies outside it, and make unlike photos alike.
MIDDLE = (0.2, 0.2, 0.6, 48)


def _windows(share, steps):
    """Windows of one size, spread evenly over the photo."""
    places = np.linspace(0, 1 - share, steps).tolist()
    return [(left, top, share, WHOLE[3]) for top in places for left in places]


# What a cropped copy may show. A copy is found within about 5 % of a window's place and size.
CROPS = [*_windows(0.87, 3), *_windows(0.75, 4)]


def compute_structure(images, window=WHOLE):
    """Histograms of oriented gradients of a window of photos.

    As of Dalal & Triggs 2005, but each cell once and not in overlapping blocks: 8x8 cells, 9
    unsigned orientations, both linearly interpolated, divided by the length of the 3x3 cells
    around, clipped at 0.2.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    window : tuple of four numbers
        As of ``WHOLE``; the last is a multiple of 8.

    Returns
    -------
    ndarray of shape (n, 576), float32, range [0, 0.2]
        By row, column and orientation.
    """
    tasks = ((images, start, [window]) for start in range(0, len(images), ROWS))
    with use_threads():
        parts = [rows for (rows,) in parallel_map(_of_windows, tasks)]
    return np.concatenate(parts) if parts else np.empty((0, CELLS * CELLS * BINS), np.float32)


def _of_windows(images, start, windows):
    """`compute_structure` of windows of a block of photos, (windows, n, 576) float32."""
    block = images[start : start + ROWS]
    found = np.empty((len(windows), len(block), CELLS * CELLS * BINS), dtype=np.float32)
    for first in range(0, len(block), BATCH):
        some = slice(first, first + BATCH)
        grey = _grey(block[some])
        histograms = np.empty((len(windows), len(grey), CELLS, CELLS, BINS), dtype=np.float32)
        # Windows of one height have their lines of pixels in common.
        for (top, share, pixels), numbers in _by_height(windows):
            inside, weights = _areas(grey.shape[1], top, share, pixels)
            lines = weights @ grey[:, inside]
            for k in numbers:
                inside, weights = _areas(grey.shape[1], windows[k][0], share, pixels)
                _histograms(lines[..., inside] @ weights.T, out=histograms[k])
        histograms = _normalised(histograms.reshape(-1, CELLS, CELLS, BINS))
        found[:, some] = histograms.reshape(len(windows), len(grey), -1)
    drop_pages(images)
    return found


def _by_height(windows):
    """Upper edge, length and pixels, with the numbers of the windows that have them."""
    for place, numbers in groupby(range(len(windows)), lambda k: windows[k][1:]):
        yield place, list(numbers)


def mirror_structure(rows):
    """Give the structure of mirrored photos: cells and slopes change sides.

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
    """Pairs of photos whose middles correlate in structure, one of them possibly mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the numbers of `compute_structure` above which two photos are twins.

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    rows = normalise_rows(compute_structure(images, MIDDLE))
    return find_pairs(rows, mirror_structure, threshold)


def find_crop_pairs(images, threshold, bar=iter):
    """Pairs of photos of which one, possibly mirrored, correlates with a window of the other.

    The windows are those of ``CROPS``; a frame is found as well, since what it frames is a window.

    Parameters
    ----------
    images, threshold
        As of `find_structure_pairs`.
    bar : callable, optional
        Hands on blocks of photos one by one, and may show how far they are.

    Returns
    -------
    pairs, correlation : ndarray
        As of `find_structure_pairs`.
    """
    whole = CorrelationIndex(normalise_rows(compute_structure(images)), mirror_structure)
    tasks = ((images, start, whole, threshold) for start in range(0, len(images), ROWS))
    with use_threads():
        parts = parallel_map(_in_windows, tasks)
        found = [part for _, part in zip(bar(range(0, len(images), ROWS)), parts, strict=True)]
    i, j, correlation = _strongest(*map(np.concatenate, zip(*found, strict=True)), len(images))
    return np.column_stack([i, j]), correlation


def _in_windows(images, start, whole, threshold):
    """Where a window of a block of photos correlates with another photo: (i, j, correlation)."""
    windows = _of_windows(images, start, CROPS)
    rows = normalise_rows(windows.reshape(-1, windows.shape[2]))
    i, j, correlation = whole.query(rows, threshold)
    return _strongest(start + i % windows.shape[1], j, correlation, len(whole.rows))


def _strongest(i, j, correlation, n):
    """Each pair of two photos once, the smaller number first, with its strongest correlation."""
    code = np.minimum(i, j) * n + np.maximum(i, j)
    order = np.lexsort((-correlation, code))
    code, first = np.unique(code[order], return_index=True)
    i, j = np.divmod(code, n)
    return i[i < j], j[i < j], correlation[order][first][i < j]


def _grey(images):
    """Mean of red, green and blue, (n, s, s); in this form nine times as fast as ``mean``."""
    red, green, blue = (images[..., k] for k in range(3))
    grey = red.astype(np.float32)
    grey += green
    grey += blue
    grey /= np.float32(3)
    return grey


@lru_cache(maxsize=64)
def _areas(side, edge, share, reduced):
    """Pixels of `side` that a window holds, and their shares in each of its `reduced` parts."""
    ends = side * np.linspace(edge, edge + share, reduced + 1)[:, None]
    first, last = math.floor(ends[0, 0]), min(math.ceil(ends[-1, 0]), side)
    pixel = np.arange(first, last)
    inside = np.minimum(ends[1:], pixel + 1) - np.maximum(ends[:-1], pixel)
    weights = np.maximum(inside, 0) * reduced / (side * share)
    return slice(first, last), weights.astype(np.float32)


def _histograms(grey, out):
    """Strength of the gradients by cell and orientation, (n, 8, 8, 9)."""
    strength, turn = compute_polar_gradients(grey)
    # A slope and its opposite are one: half a turn is as much as none.
    turn += (turn < 0) * np.float32(4)
    # Middles of bins lie at half numbers: mirrored, the bin k becomes the bin 8 - k.
    turn *= np.float32(BINS / 4)
    turn -= np.float32(0.5)
    weights = compute_triangle_weights(grey.shape[1], grey.shape[1] // CELLS)
    shares = iterate_orientations(strength, turn, range(BINS), (0, BINS - 1))
    for k, share in enumerate(shares):
        out[..., k] = weights @ share @ weights.T


def _normalised(histograms):
    power = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(power[:, y : y + CELLS, x : x + CELLS] for y in range(3) for x in range(3))
    return np.minimum(histograms / (np.sqrt(around)[..., None] + PLAIN), 0.2)
