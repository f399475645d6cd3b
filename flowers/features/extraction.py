"""Feature extractors by name: photos in, one row of numbers per photo out."""

import numpy as np

from flowers.features.colour import colour
from flowers.features.hog import hog
from flowers.features.pixels import pixels
from flowers.parallel import opened

EXTRACTORS = {"pixels": pixels, "colour": colour, "hog": hog}


def extract_rows(images, start, stop, names):
    """Give the features of some photos of an array from ``flowers.parallel.shared``."""
    return extract(opened(images)[start:stop], names)


def extract(images, names):
    """Give the features of photos, the named extractors side by side.

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
