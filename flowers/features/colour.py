"""Colour histograms as features."""

import numpy as np

LEVELS = 6  # per channel
CELLS = 2  # along each side of an image


def extract_colour(images):
    """Compute the square roots of the joint RGB histograms of the four quarters of each image.

    The Euclidean distance of the roots is the Hellinger distance of the histograms (Arandjelovic &
    Zisserman 2012, "Three things everyone should know to improve object retrieval", section 3).

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8

    Returns
    -------
    ndarray of shape (n, 4 * 216), float32, range [0, 1]
    """
    n, side = images.shape[:2]
    level = images.astype(np.int32) * LEVELS // 256
    code = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    cell = np.arange(side) * CELLS // side
    code += (cell[:, None] * CELLS + cell[None, :]) * LEVELS**3
    width = CELLS**2 * LEVELS**3
    code += np.arange(n)[:, None, None] * width
    counts = np.bincount(code.ravel(), minlength=n * width).reshape(n, width)
    return np.sqrt(counts * (CELLS**2 / side**2)).astype(np.float32)
