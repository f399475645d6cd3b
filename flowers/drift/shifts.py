"""Named ways in which photos of later differ from those of the test: to see what the alarm sees."""

import numpy as np
from scipy.ndimage import gaussian_filter

from flowers.errors import BadInput
from flowers.photos.statistics import LUMA


def grey(images):
    """Without colour: brightness (luma) in all three channels."""
    return np.repeat(np.rint(images @ LUMA).astype(np.uint8)[..., None], 3, axis=-1)


def swap(images):
    """Red and blue exchanged, as by a reader that takes BGR for RGB."""
    return images[..., ::-1]


def darker(images):
    """Six tenths of the brightness."""
    return np.rint(images * 0.6).astype(np.uint8)


def blur(images):
    """Out of focus: Gaussian of 1/32 of the height (standard deviation)."""
    sigma = images.shape[1] / 32
    return gaussian_filter(images, (0, sigma, sigma, 0))


def class_gone(count):
    """Take away the first class."""
    return np.r_[0.0, np.ones(count - 1)] / (count - 1)


def season(count):
    """Each class comes half as often as the one before."""
    weights = 0.5 ** np.arange(count)
    return weights / weights.sum()


# Of images, ndarray of shape (n, height, width, 3), uint8, to the same shape and dtype.
OF_PIXELS = {"grey": grey, "swap": swap, "darker": darker, "blur": blur}
# Of the number of classes, at least 2, to their shares, shape (count,), sum 1.
OF_CLASSES = {"class-gone": class_gone, "season": season}
NAMES = (*OF_PIXELS, *OF_CLASSES)


def apply(name, images):
    """Photos after a shift; those that change only how often a class comes leave them as they are.

    Parameters
    ----------
    name : str
        One of ``NAMES``.
    images : ndarray of shape (n, height, width, 3), uint8

    Returns
    -------
    ndarray of shape (n, height, width, 3), uint8

    Raises
    ------
    BadInput
        If there is no such shift.
    """
    if name not in NAMES:
        raise BadInput(f"shift {name!r} is unknown: choose one of {', '.join(NAMES)}")
    return OF_PIXELS[name](images) if name in OF_PIXELS else images
