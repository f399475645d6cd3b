"""Data augmentation: randomly altered copies of training images."""

import math

import numpy as np
from PIL import Image

from flowers.features.descriptors import compute_aspect_ratio

MAX_ANGLE = 20  # degrees
MAX_ZOOM = 0.15  # logarithm of the factor
GAMMA_DEVIATION = 0.4  # of the logarithm of the exponent of all channels
GAIN_DEVIATION = 0.25  # of the logarithm of the factor of each channel


def alter_image(image, size, seed):
    """Mirror, rotate, zoom and recolour an image at random (Chatfield et al. 2014).

    Parameters
    ----------
    image : ndarray of shape (s, s, 3), uint8
    size : sequence of two int
        Width and height of the original image, > 0, whose aspect ratio is kept.
    seed : int or sequence of int

    Returns
    -------
    ndarray of shape (s, s, 3), uint8
        Beyond its edges the image is continued by its mirror image.
    """
    rng = np.random.default_rng(seed)
    side = len(image)
    image = image[:, ::-1] if rng.random() < 0.5 else image
    angle = math.radians(rng.uniform(-MAX_ANGLE, MAX_ANGLE))
    factor = math.exp(rng.uniform(-MAX_ZOOM, MAX_ZOOM))
    cosine = math.cos(angle) / factor
    sine = math.sin(angle) / factor
    ratio = compute_aspect_ratio(size)
    # From a pixel of the result to one of the image, which has a margin and was made square.
    rows = (cosine, -sine / ratio), (sine * ratio, cosine)
    affine = [(*row, (1.5 - sum(row) / 2) * side) for row in rows]
    framed = Image.fromarray(np.pad(image, ((side, side), (side, side), (0, 0)), "symmetric"))
    method = Image.Transform.AFFINE
    altered = framed.transform((side, side), method, sum(affine, ()), Image.Resampling.BICUBIC)
    levels = (np.arange(256) / 255) ** math.exp(rng.normal(0, GAMMA_DEVIATION))
    gains = np.exp(rng.normal(0, GAIN_DEVIATION, 3))
    table = np.clip(np.rint(255 * np.outer(gains, levels)), 0, 255).astype(int)
    return np.asarray(altered.point(table.ravel().tolist()))
