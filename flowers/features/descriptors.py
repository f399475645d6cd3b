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
# Where the orientations of a cell, and the colours of ``lcs``, are in a mirrored cell.
_ORIENTATIONS = (ORIENTATIONS // 2 - np.arange(ORIENTATIONS)) % ORIENTATIONS
MIRRORED = {
    "sift": _ORIENTATIONS,
    "opponent": np.concatenate([_ORIENTATIONS, ORIENTATIONS + _ORIENTATIONS]),
    "lcs": np.arange(6),
}
_BELL = np.exp(-((np.arange(CELLS) - (CELLS - 1) / 2) ** 2) / (2 * SIGMA**2))
_GAUSSIAN = np.outer(_BELL, _BELL).astype(np.float32)


def compute_aspect_ratio(size):
    """Divide width by height of (width, height); limited to ``1 / MAX_RATIO`` to ``MAX_RATIO``."""
    return min(max(size[0] / size[1], 1 / MAX_RATIO), MAX_RATIO)


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
    ratio = compute_aspect_ratio(size)
    side = len(image) * scale
    width, height = (
        max(CELLS, round(side * stretch / CELL)) * CELL for stretch in (ratio**0.5, ratio**-0.5)
    )
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32) / np.float32(255)


def compute_descriptors(image, size, scales):
    """Compute the descriptors of all windows of 4 x 4 cells of 4 x 4 pixels at all scales.

    ``sift`` is RootSIFT (Lowe 2004; Arandjelovic & Zisserman 2012) of the brightness, ``opponent``
    RootSIFT of the two opponent colours jointly (van de Sande, Gevers & Snoek 2010), ``lcs`` mean
    and standard deviation of red, green and blue in each cell (Clinchant et al. 2007).

    Windows in the right half are those of the left half of the mirrored image, so that an image and
    its mirror image have the same descriptors. Cells and orientations only change places, so that
    gradients are computed once.

    Parameters
    ----------
    image, size : ndarray of shape (s, s, 3), uint8; sequence of two int
        Image, and width and height of the original image.
    scales : sequence of float
        See `resize_to_scale`.

    Returns
    -------
    descriptors : dict of name to ndarray of shape (n, ``WIDTHS[name]``), float32
    positions : ndarray of shape (n, 2), float32, range (-0.5, 0.5)
        x and y of the centre of each window, as fractions of width and height from the centre;
        x <= 0.
    """
    cells = {name: [] for name in WIDTHS}
    positions = []
    for scale in scales:
        for name, parts in _compute_cells(resize_to_scale(image, size, scale)).items():
            cells[name] += [parts, parts[:, ::-1, MIRRORED[name]]]
        positions += 2 * [_locate_windows(*parts.shape[:2])]
    weights = dict.fromkeys(WIDTHS, _GAUSSIAN) | {"lcs": np.ones_like(_GAUSSIAN)}
    descriptors = {name: _gather_windows(cells[name], weights[name]) for name in WIDTHS}
    for name in ("sift", "opponent"):
        _normalise_rootsift(descriptors[name])
    return descriptors, np.concatenate(positions)


def _compute_cells(image):
    """Cells of each descriptor type, shape (h / 4, w / 4, depth), of an image (h, w, 3)."""
    gradient_cells = _compute_gradient_cells(_convert_to_opponent(image))
    return {
        "sift": gradient_cells[0],
        "opponent": np.concatenate(gradient_cells[1:], axis=2),
        "lcs": _compute_colour_cells(image),
    }


def _locate_windows(height, width):
    """Positions of the windows in the left half of an image of ``height * width`` cells."""
    x = (np.arange(_count_columns(width), dtype=np.float32) + CELLS / 2) / width - 0.5
    y = (np.arange(height - CELLS + 1, dtype=np.float32) + CELLS / 2) / height - 0.5
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1).reshape(-1, 2)


def _count_columns(width):
    """Columns of windows in the left half, including the middle column."""
    return (width - CELLS + 2) // 2


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


def _gather_windows(parts, weights):
    """Weighted cells of each window as a row, shape (n, CELLS * CELLS * depth).

    Parameters
    ----------
    parts : list of ndarray of shape (rows, columns, depth), float32
        Cells; the windows of the left half of each part follow each other.
    weights : ndarray of shape (CELLS, CELLS), float32
    """
    weights = np.repeat(weights, parts[0].shape[2], axis=1)
    shapes = [
        (len(part) - CELLS + 1, _count_columns(part.shape[1]), *weights.shape) for part in parts
    ]
    windows = np.empty((sum(rows * columns for rows, columns, *_ in shapes), weights.size), "f4")
    start = 0
    for part, shape in zip(parts, shapes, strict=True):
        cells = np.ascontiguousarray(part)
        line, column, value = cells.strides
        # The windows overlap in memory, so that numpy multiplies whole lines of a window at once.
        views = np.ndarray(shape, "f4", cells, strides=(line, column, line, value))
        stop = start + shape[0] * shape[1]
        np.multiply(views, weights, out=windows[start:stop].reshape(shape))
        start = stop
    return windows


def _normalise_rootsift(rows):
    """Scale to length 1, clip at 0.2, scale to sum 1 and take the square root, in place."""
    # 0.02 suppresses the noise of windows without contrast.
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows)) + np.float32(0.02)
    np.minimum(rows, np.float32(0.2) * length[:, None], out=rows)
    rows *= (1 / (rows.sum(axis=1) + np.float32(1e-6) * length))[:, None]
    np.sqrt(rows, out=rows)
