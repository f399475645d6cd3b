"""Feature extractors by name: photos in, one row of numbers per photo out."""

import numpy as np

COLOUR_LEVELS = 6
COLOUR_CELLS = 2
HOG_CELL = 16
HOG_BINS = 9


def pixels(images):
    """The raw pixels, row by row.

    They stay uint8, an eighth of float64: standardisation is scale-free, so dividing by 255
    changes nothing for a classifier that standardises, nor for naive Bayes.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8

    Returns
    -------
    ndarray of shape (n, 3 * s * s), uint8
    """
    return images.reshape(len(images), -1)


def colour(images):
    """Square roots of joint RGB histograms of the four quarters of the photo.

    The root turns Euclidean into Hellinger distance (Arandjelovic & Zisserman 2012, section 3).

    Returns
    -------
    ndarray of shape (n, 4 * 216), float32, range [0, 1]
    """
    n, side = images.shape[:2]
    level = images.astype(np.int32) * COLOUR_LEVELS // 256
    code = (level[..., 0] * COLOUR_LEVELS + level[..., 1]) * COLOUR_LEVELS + level[..., 2]
    cell = np.arange(side) * COLOUR_CELLS // side
    code += (cell[:, None] * COLOUR_CELLS + cell[None, :]) * COLOUR_LEVELS**3
    width = COLOUR_CELLS**2 * COLOUR_LEVELS**3
    code += np.arange(n)[:, None, None] * width
    counts = np.bincount(code.ravel(), minlength=n * width).reshape(n, width)
    return np.sqrt(counts * (COLOUR_CELLS**2 / side**2)).astype(np.float32)


def hog(images):
    """Histograms of oriented gradients (Dalal & Triggs 2005).

    Per pixel the gradient of the colour channel where it is largest, unsigned, in 9 orientation
    bins; cells of 16x16 pixels, overlapping 2x2 blocks, L2-Hys normalisation with clip 0.2.

    Returns
    -------
    ndarray of shape (n, (s/16 - 1)^2 * 36), float32, range [0, 1]
    """
    n, side = images.shape[:2]
    values = images.astype(np.float32) / 255.0
    dy, dx = np.zeros_like(values), np.zeros_like(values)
    dy[:, 1:-1] = values[:, 2:] - values[:, :-2]
    dx[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    strongest = (dx**2 + dy**2).argmax(axis=3)[..., None]
    dy = np.take_along_axis(dy, strongest, axis=3)[..., 0]
    dx = np.take_along_axis(dx, strongest, axis=3)[..., 0]
    bins = (np.arctan2(dy, dx) % np.pi * (HOG_BINS / np.pi)).astype(np.int64) % HOG_BINS

    cells = side // HOG_CELL
    cell = np.minimum(np.arange(side) // HOG_CELL, cells - 1)
    code = ((np.arange(n)[:, None, None] * cells + cell[:, None]) * cells + cell) * HOG_BINS + bins
    histogram = np.bincount(
        code.ravel(), weights=np.hypot(dx, dy).ravel(), minlength=n * cells**2 * HOG_BINS
    ).reshape(n, cells, cells, HOG_BINS)

    block = np.concatenate(
        [histogram[:, y : cells - 1 + y, x : cells - 1 + x] for y in (0, 1) for x in (0, 1)], axis=3
    )
    block /= np.linalg.norm(block, axis=3, keepdims=True) + 1e-5
    np.minimum(block, 0.2, out=block)
    block /= np.linalg.norm(block, axis=3, keepdims=True) + 1e-5
    return block.reshape(n, -1).astype(np.float32)


EXTRACTORS = {"pixels": pixels, "colour": colour, "hog": hog}


def extract(images, names):
    """The features of photos, the named extractors side by side.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.
    names : sequence of str
        Keys of ``EXTRACTORS``.

    Returns
    -------
    ndarray of shape (n, d)
        uint8 for ``["pixels"]`` alone, otherwise float32; pixels then range over [0, 1].
    """
    if list(names) == ["pixels"]:
        return pixels(images)
    parts = [EXTRACTORS[name](images) for name in names]
    return np.hstack([p / np.float32(255) if p.dtype == np.uint8 else p for p in parts])
