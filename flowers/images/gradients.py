"""Image gradients in polar form, fast and with the same bits on every machine."""

from functools import lru_cache

import numpy as np

# Coefficients of q, q^3, q^5 and q^7 in arctan(q) * 4 / pi for q in [0, 1]; the largest error is
# 1e-4. numpy's arctan2 takes several times as long, and its last bits depend on the machine.
_ARCTAN = np.float32([1.2722385, -0.4089327, 0.1862297, -0.0496392])


def compute_polar_gradients(planes):
    """Compute magnitude and direction of the central differences; both are 0 at the edges.

    Parameters
    ----------
    planes : ndarray of shape (n, h, w), float32

    Returns
    -------
    magnitude : ndarray of shape (n, h, w), float32, >= 0
    direction : ndarray of shape (n, h, w), float32, range [-4, 4]
        In octants; see `compute_octants`.
    """
    planes = np.ascontiguousarray(planes)
    dx = np.empty_like(planes)
    dy = np.empty_like(planes)
    # All rows are one line, because numpy is slow on many short ones; the edges are cleared below.
    line = planes.ravel()
    np.subtract(line[2:], line[:-2], out=dx.ravel()[1:-1])
    np.subtract(planes[:, 2:], planes[:, :-2], out=dy[:, 1:-1])
    dx[:, :, [0, -1]] = 0
    dy[:, [0, -1]] = 0
    direction = compute_octants(dx, dy)
    np.square(dx, out=dx)
    dx += np.square(dy, out=dy)
    return np.sqrt(dx, out=dx), direction


def iterate_orientations(magnitude, direction, centres, wrapped):
    """Yield the share of each gradient in each orientation bin, by linear interpolation.

    Parameters
    ----------
    magnitude : ndarray, float32
    direction : ndarray of the same shape, float32
        In units of which the circle has ``len(centres)``.
    centres : sequence of int
        Directions of the bins.
    wrapped : container of int
        The centres whose neighbours lie across the end of the circle.

    Yields
    ------
    ndarray of the same shape, float32
        The magnitude that falls into the bin, in an array that the next one overwrites.
    """
    share = np.empty_like(direction)
    for centre in centres:
        np.abs(np.subtract(direction, np.float32(centre), out=share), out=share)
        if centre in wrapped:
            np.minimum(share, np.float32(len(centres)) - share, out=share)
        # numpy's maximum of an array and a number takes three times as long as clip.
        np.clip(np.subtract(np.float32(1), share, out=share), 0, 1, out=share)
        share *= magnitude
        yield share


@lru_cache(maxsize=64)
def compute_triangle_weights(length, cell):
    """Compute weights of `length` pixels in cells of `cell` pixels: triangles around the centres.

    Returns
    -------
    ndarray of shape (length // cell, length), float32, range [0, 1]
    """
    centres = (np.arange(length // cell) + 0.5) * cell
    distance = np.abs(np.arange(length) + 0.5 - centres[:, None])
    return np.maximum(1 - distance / cell, 0).astype(np.float32)


def compute_octants(dx, dy):
    """Compute the direction of gradients in eighths of a turn: ``arctan2(dy, dx) * 4 / pi``.

    Parameters
    ----------
    dx, dy : ndarray of one shape, float32

    Returns
    -------
    ndarray of the same shape, float32, range [-4, 4]
        Within 2e-4; 0 where there is no gradient.
    """
    # Arrays are reused: the system would have to clear new ones.
    larger = np.abs(dx)
    smaller = np.abs(dy)
    steep = smaller > larger
    leftward = dx < 0
    q = np.minimum(larger, smaller)
    np.maximum(larger, smaller, out=larger)
    larger += np.float32(1e-30)
    q /= larger
    square = np.square(q, out=larger)
    direction = np.multiply(square, _ARCTAN[3], out=smaller)
    for factor in (_ARCTAN[2], _ARCTAN[1]):
        direction += factor
        direction *= square
    direction += _ARCTAN[0]
    direction *= q
    # Mirrored where needed, 2 - direction and then 4 - direction, without a branch for each pixel.
    for mirrored, axis in ((steep, 2), (leftward, 4)):
        direction -= np.multiply(mirrored, np.float32(axis), out=q)
        np.abs(direction, out=direction)
    # The same as numpy's copysign, in a quarter of the time.
    direction.view(np.uint32)[...] |= dy.view(np.uint32) & np.uint32(1 << 31)
    return direction
