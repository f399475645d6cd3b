"""Histograms of oriented gradients as features."""

import numpy as np

CELL = 16  # pixels
BINS = 9  # over 180 degrees


def extract_hog(images):
    """Compute histograms of oriented gradients (HOG; Dalal & Triggs 2005).

    Each pixel contributes the gradient of the channel with the largest magnitude, unsigned, to one
    of 9 orientation bins. Cells of 16x16 pixels, overlapping blocks of 2x2 cells, L2-Hys
    normalisation with clipping at 0.2.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.

    Returns
    -------
    ndarray of shape (n, (s/16 - 1)^2 * 36), float32, range [0, 1]
    """
    n, side = images.shape[:2]
    values = images.astype(np.float32) / 255.0
    dy, dx = np.zeros((2, *values.shape), np.float32)
    dy[:, 1:-1] = values[:, 2:] - values[:, :-2]
    dx[:, :, 1:-1] = values[:, :, 2:] - values[:, :, :-2]
    channel = (dx**2 + dy**2).argmax(axis=3)[..., None]
    dy = np.take_along_axis(dy, channel, axis=3)[..., 0]
    dx = np.take_along_axis(dx, channel, axis=3)[..., 0]
    bins = (np.arctan2(dy, dx) % np.pi * (BINS / np.pi)).astype(np.int64) % BINS

    cells = side // CELL
    cell = np.minimum(np.arange(side) // CELL, cells - 1)
    code = ((np.arange(n)[:, None, None] * cells + cell[:, None]) * cells + cell) * BINS + bins
    histogram = np.bincount(
        code.ravel(), weights=np.hypot(dx, dy).ravel(), minlength=n * cells**2 * BINS
    ).reshape(n, cells, cells, BINS)

    block = np.concatenate(
        [histogram[:, y : cells - 1 + y, x : cells - 1 + x] for y in (0, 1) for x in (0, 1)], axis=3
    )
    block /= np.linalg.norm(block, axis=3, keepdims=True) + 1e-5
    np.minimum(block, 0.2, out=block)
    block /= np.linalg.norm(block, axis=3, keepdims=True) + 1e-5
    return block.reshape(n, -1).astype(np.float32)
