"""Dense local descriptors of an image: gradients of brightness and colour, colour statistics."""

import numpy as np
from PIL import Image

from flowers.images import gradients

CELL = 4  # pixels
CELLS = 4  # cells along each side of a window
ORIENTATIONS = 8
SIGMA = 1.5  # of the window's Gaussian weight, in cells
# Largest aspect ratio: a longer image would be too narrow for a window.
MAX_RATIO = 4.0
WIDTHS = {"sift": 128, "opponent": 256, "lcs": 96}


def resize_to_scale(image, size, scale):
    """Restore the aspect ratio of a square image and scale its sides.

    Parameters
    ----------
    image : ndarray of shape (s, s, 3), uint8
    size : sequence of two int
        Width and height of the original image, > 0.
    scale : float, > 0
        The area of the result is about ``(s * scale)**2``.

    Returns
    -------
    ndarray of shape (h, w, 3), float32, range [0, 1]
        `h` and `w` are multiples of ``CELL`` and hold at least one window.
    """
    ratio = min(max(size[0] / size[1], 1 / MAX_RATIO), MAX_RATIO)
    side = len(image) * scale
    width, height = (
        max(CELLS, round(side * stretch / CELL)) * CELL for stretch in (ratio**0.5, ratio**-0.5)
    )
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32) / np.float32(255)


def compute_descriptors(image):
    """Compute the descriptors of all windows of 4 x 4 cells of 4 x 4 pixels.

    ``sift`` is RootSIFT (Lowe 2004; Arandjelovic & Zisserman 2012) of the brightness, ``opponent``
    RootSIFT of the two opponent colours jointly (van de Sande, Gevers & Snoek 2010), ``lcs`` mean
    and standard deviation of red, green and blue in each cell (Clinchant et al. 2007).

    Parameters
    ----------
    image : ndarray of shape (h, w, 3), float32, range [0, 1]
        `h` and `w` are multiples of ``CELL``.

    Returns
    -------
    descriptors : dict of name to ndarray of shape (n, ``WIDTHS[name]``), float32
    positions : ndarray of shape (n, 2), float32, range (-0.5, 0.5)
        x and y of the centre of each window, as fractions of width and height from the centre.
    """
    height, width = (side // CELL for side in image.shape[:2])
    cells = _compute_gradient_cells(_convert_to_opponent(image))
    gaussian = np.exp(-((np.arange(CELLS) - (CELLS - 1) / 2) ** 2) / (2 * SIGMA**2))
    weights = np.outer(gaussian, gaussian).astype(np.float32)
    opponent = _gather_windows(np.concatenate(cells[1:], axis=2), weights)
    descriptors = {
        "sift": _normalise_rootsift(_gather_windows(cells[0], weights)),
        "opponent": _normalise_rootsift(opponent),
        "lcs": _gather_windows(_compute_colour_cells(image), np.ones((CELLS, CELLS), np.float32)),
    }
    x = (np.arange(width - CELLS + 1, dtype=np.float32) + CELLS / 2) / width - 0.5
    y = (np.arange(height - CELLS + 1, dtype=np.float32) + CELLS / 2) / height - 0.5
    positions = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)
    return descriptors, positions


def _convert_to_opponent(image):
    """Brightness and the two opponent colours, shape (3, h, w)."""
    red, green, blue = np.moveaxis(image, 2, 0)
    channels = red + green + blue, red - green, red + green - 2 * blue
    scales = np.float32([3, 2**0.5, 6**0.5])
    return np.stack([channel / scale for channel, scale in zip(channels, scales, strict=True)])


def _compute_gradient_cells(channels):
    """Histograms of signed orientations, linearly interpolated, shape (3, h / 4, w / 4, 8)."""
    strength, turn = gradients.compute_polar_gradients(channels)
    down = gradients.compute_triangle_weights(channels.shape[1], CELL)
    across = gradients.compute_triangle_weights(channels.shape[2], CELL).T
    cells = np.empty((3, len(down), across.shape[1], ORIENTATIONS), dtype=np.float32)
    half = ORIENTATIONS // 2  # orientations are octants, and -180 degrees equals 180 degrees
    parts = gradients.iterate_orientations(strength, turn, range(-half, half), (-half,))
    for k, part in enumerate(parts):
        cells[..., k] = down @ (part @ across)
    return cells


def _compute_colour_cells(image):
    """Mean and standard deviation of red, green and blue, shape (h / 4, w / 4, 6)."""
    height, width = (side // CELL for side in image.shape[:2])
    mean, square = (
        # Rows first: numpy adds long rows fast.
        values.reshape(height, CELL, -1).sum(axis=1).reshape(height, width, CELL, 3).sum(axis=2)
        / np.float32(CELL**2)
        for values in (image, np.square(image))
    )
    return np.concatenate([mean, np.sqrt(np.maximum(square - mean**2, 0))], axis=2)


def _gather_windows(cells, weights):
    """Weighted cells of each window as a row, shape (n, CELLS * CELLS * depth)."""
    rows, columns = (side - CELLS + 1 for side in cells.shape[:2])
    depth = cells.shape[2]
    windows = np.empty((rows, columns, CELLS, CELLS, depth), dtype=np.float32)
    for i in range(CELLS):
        for j in range(CELLS):
            shifted = cells[i : i + rows, j : j + columns]
            np.multiply(shifted, weights[i, j], out=windows[:, :, i, j])
    return windows.reshape(rows * columns, -1)


def _normalise_rootsift(rows):
    """Scale to length 1, clip at 0.2, scale to sum 1 and take the square root, in place."""
    # 0.02 suppresses the noise of windows without contrast.
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None] + np.float32(0.02)
    np.minimum(rows, np.float32(0.2), out=rows)
    rows /= rows.sum(axis=1, keepdims=True) + np.float32(1e-6)
    return np.sqrt(rows, out=rows)
