"""Gradients by strength and direction, fast and with the same bits on every machine."""

from functools import lru_cache

import numpy as np

# Of q, q^3, q^5 and q^7 in arctan(q) * 4 / pi for q in [0, 1]: the least largest error is 1e-4 of
# an octant. numpy's arctan2 takes several times as long, and its last bits are the machine's.
_ARCTAN = np.float32([1.2722385, -0.4089327, 0.1862297, -0.0496392])


def compute_polar_gradients(planes):
    """Strength and direction of the central differences of planes; 0 at their edges.

    Parameters
    ----------
    planes : ndarray of shape (n, h, w), float32

    Returns
    -------
    strength : ndarray of shape (n, h, w), float32, >= 0
    turn : ndarray of shape (n, h, w), float32
        As of `compute_octants`.
    """
    planes = np.ascontiguousarray(planes)
    dx, dy = np.empty_like(planes), np.empty_like(planes)
    # All lines as one: numpy is slow on many short ones. What crosses their ends is cleared.
    line = planes.ravel()
    np.subtract(line[2:], line[:-2], out=dx.ravel()[1:-1])
    np.subtract(planes[:, 2:], planes[:, :-2], out=dy[:, 1:-1])
    dx[:, :, 0], dx[:, :, -1], dy[:, 0], dy[:, -1] = 0, 0, 0, 0
    turn = compute_octants(dx, dy)
    np.square(dx, out=dx)
    dx += np.square(dy, out=dy)
    return np.sqrt(dx, out=dx), turn


def iterate_orientations(strength, turn, middles, ends):
    """Share each gradient out to the two orientations beside its direction.

    Parameters
    ----------
    strength : ndarray, float32
    turn : ndarray of the same shape, float32
        Directions, of which the circle has as many as there are `middles`.
    middles : sequence of int
        Directions of the orientations.
    ends : container of int
        Those of the middles that have gradients across the end of the circle as neighbours.

    Yields
    ------
    ndarray of the same shape, float32
        What each orientation has, in an array that the next one overwrites.
    """
    share = np.empty_like(turn)
    for middle in middles:
        np.abs(np.subtract(turn, np.float32(middle), out=share), out=share)
        if middle in ends:
            np.minimum(share, np.float32(len(middles)) - share, out=share)
        # Of an array and a number, numpy's maximum takes three times as long.
        np.clip(np.subtract(np.float32(1), share, out=share), 0, 1, out=share)
        share *= strength
        yield share


@lru_cache(maxsize=64)
def compute_triangle_weights(length, cell):
    """Weights of pixels in cells of so many pixels: triangles that end in the middles beside.

    Returns
    -------
    ndarray of shape (length // cell, length), float32
    """
    middle = (np.arange(length // cell) + 0.5) * cell
    away = np.abs(np.arange(length) + 0.5 - middle[:, None])
    return np.maximum(1 - away / cell, 0).astype(np.float32)


def compute_octants(dx, dy):
    """Direction of gradients in eighths of a turn, as ``arctan2(dy, dx) * 4 / pi``.

    Parameters
    ----------
    dx, dy : ndarray of one shape, float32

    Returns
    -------
    ndarray of the same shape, float32, range [-4, 4]
        Within 2e-4; 0 where there is no gradient.
    """
    # Arrays are used again: new ones would have to be cleared by the system first.
    wide, high = np.abs(dx), np.abs(dy)
    steep, back = high > wide, dx < 0
    q = np.minimum(wide, high)
    np.maximum(wide, high, out=wide)
    wide += np.float32(1e-30)
    q /= wide
    square = np.square(q, out=wide)
    turn = np.multiply(square, _ARCTAN[3], out=high)
    for factor in (_ARCTAN[2], _ARCTAN[1]):
        turn += factor
        turn *= square
    turn += _ARCTAN[0]
    turn *= q
    # Mirrored where it must be: 2 - turn, then 4 - turn, without a branch for each pixel.
    for mirrored, axis in ((steep, 2), (back, 4)):
        turn -= np.multiply(mirrored, np.float32(axis), out=q)
        np.abs(turn, out=turn)
    # As numpy's copysign has it, in a quarter of its time.
    turn.view(np.uint32)[...] |= dy.view(np.uint32) & np.uint32(1 << 31)
    return turn
