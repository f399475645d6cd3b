"""Dense local descriptors of a photo: gradients of brightness and of colour, and colour itself."""

import numpy as np
from PIL import Image

from flowers.images.gradients import (
    compute_polar_gradients,
    compute_triangle_weights,
    iterate_orientations,
)

CELL = 4  # pixels
CELLS = 4  # a window has CELLS x CELLS cells
ORIENTATIONS = 8
SIGMA = 1.5  # of the window's Gaussian weight, in cells
# Photos longer than this are treated as if they were not: a strip has no room for windows.
MAX_RATIO = 4.0
WIDTHS = {"sift": 128, "opponent": 256, "lcs": 96}


def resize_to_scale(image, size, scale):
    """Give a photo its proportions back, its area times ``scale**2``.

    Parameters
    ----------
    image : ndarray of shape (s, s, 3), uint8
        Squeezed to a square.
    size : sequence of two int
        Width and height of the photo, > 0.
    scale : float, > 0

    Returns
    -------
    ndarray of shape (h, w, 3), float32, range [0, 1]
        `h` and `w` are multiples of ``CELL``, and hold one window at least.
    """
    ratio = min(max(size[0] / size[1], 1 / MAX_RATIO), MAX_RATIO)
    side = len(image) * scale
    width, height = (
        max(CELLS, round(side * stretch / CELL)) * CELL for stretch in (ratio**0.5, ratio**-0.5)
    )
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32) / np.float32(255)


def compute_descriptors(image):
    """Describe every window of 4 x 4 cells of 4 x 4 pixels.

    ``sift`` is RootSIFT (Lowe 2004; Arandjelovic & Zisserman 2012) of the brightness, ``opponent``
    that of the two opponent colours jointly (van de Sande, Gevers & Snoek 2010), ``lcs`` holds
    mean and deviation of red, green and blue in each cell (Clinchant et al. 2007).

    Parameters
    ----------
    image : ndarray of shape (h, w, 3), float32, range [0, 1]
        `h` and `w` are multiples of ``CELL``.

    Returns
    -------
    descriptors : dict of name to ndarray of shape (n, ``WIDTHS[name]``), float32
    positions : ndarray of shape (n, 2), float32
        x and y of the middle of each window, as shares of width and height less a half.
    """
    height, width = image.shape[0] // CELL, image.shape[1] // CELL
    cells = _gradient_cells(_opponent(image))
    weights = _window_weights()
    descriptors = {
        "sift": _root(_windows(cells[0], weights)),
        "opponent": _root(_windows(np.concatenate(cells[1:], axis=2), weights)),
        "lcs": _windows(_colour_cells(image), np.ones((CELLS, CELLS), np.float32)),
    }
    x = (np.arange(width - CELLS + 1, dtype=np.float32) + CELLS / 2) / width - 0.5
    y = (np.arange(height - CELLS + 1, dtype=np.float32) + CELLS / 2) / height - 0.5
    positions = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
    return descriptors, positions


def _opponent(image):
    """Brightness and the two opponent colours, (3, h, w)."""
    red, green, blue = np.moveaxis(image, 2, 0)
    return np.stack(
        [
            (red + green + blue) / np.float32(3),
            (red - green) / np.float32(2**0.5),
            (red + green - 2 * blue) / np.float32(6**0.5),
        ]
    )


def _gradient_cells(channels):
    """Histograms of orientations, (3, h / 4, w / 4, 8): full circle, linear interpolation."""
    strength, turn = compute_polar_gradients(channels)
    down, across = (
        compute_triangle_weights(channels.shape[1], CELL),
        compute_triangle_weights(channels.shape[2], CELL).T,
    )
    cells = np.empty((3, len(down), across.shape[1], ORIENTATIONS), dtype=np.float32)
    half = ORIENTATIONS // 2  # there are as many as octants; half a turn left is half a turn right
    shares = iterate_orientations(strength, turn, range(-half, half), (-half,))
    for k, share in enumerate(shares):
        cells[..., k] = down @ (share @ across)
    return cells


def _colour_cells(image):
    """Mean and deviation of red, green and blue, (h / 4, w / 4, 6)."""
    height, width = image.shape[0] // CELL, image.shape[1] // CELL
    mean, square = (
        # Rows first: numpy adds long rows fast.
        values.reshape(height, CELL, -1).sum(axis=1).reshape(height, width, CELL, 3).sum(axis=2)
        / np.float32(CELL**2)
        for values in (image, np.square(image))
    )
    return np.concatenate([mean, np.sqrt(np.maximum(square - mean**2, 0))], axis=2)


def _window_weights():
    away = np.arange(CELLS) - (CELLS - 1) / 2
    gauss = np.exp(-(away**2) / (2 * SIGMA**2))
    return np.outer(gauss, gauss).astype(np.float32)


def _windows(cells, weights):
    """Every window of cells as a row, (n, CELLS * CELLS * depth)."""
    height, width, depth = cells.shape
    rows, columns = height - CELLS + 1, width - CELLS + 1
    out = np.empty((rows, columns, CELLS, CELLS, depth), dtype=np.float32)
    for i in range(CELLS):
        for j in range(CELLS):
            window = cells[i : i + rows, j : j + columns]
            np.multiply(window, weights[i, j], out=out[:, :, i, j])
    return out.reshape(rows * columns, -1)


def _root(rows):
    """Length 1, no entry above 0.2, then the root of the shares, in place."""
    # 0.02: windows without contrast stay near 0 instead of showing noise.
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None] + np.float32(0.02)
    np.minimum(rows, np.float32(0.2), out=rows)
    rows /= rows.sum(axis=1, keepdims=True) + np.float32(1e-6)
    return np.sqrt(rows, out=rows)
