"""Named ways in which photos of later differ from those of the test: to see what the alarm sees."""

import io
from zlib import crc32

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from flowers.base.errors import BadInput
from flowers.images.statistics import LUMA


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
    """Out of focus: Gaussian of 1/64 of the height (standard deviation)."""
    sigma = images.shape[1] / 64
    return gaussian_filter(images, (0, sigma, sigma, 0))


def noise(images):
    """Grain of a dark room: Gaussian of 25 of 255, the same for the same photo."""
    grain = [np.random.default_rng(crc32(image.tobytes())).normal(0, 25, image.shape)
             for image in images]  # fmt: skip
    return np.clip(np.rint(images + np.stack(grain)), 0, 255).astype(np.uint8)


def jpeg(images):
    """Save as JPEG of quality 8."""
    return _each(images, _as_jpeg)


def rotate(images):
    """Turn by a quarter, as where the orientation is lost; width and height change places."""
    return np.rot90(images, axes=(1, 2))


def crop(images):
    """Cut out the middle, six tenths of each side, and make it as large as the whole."""
    return _each(images, lambda photo: photo.resize(photo.size, box=_middle(photo.size, 0.6)))


def letterbox(images):
    """Squeezed to six tenths of the height between black bars."""
    return _each(images, _between_bars)


def occlude(images):
    """Put a grey square over the middle, half of each side."""
    height, width = images.shape[1:3]
    left, top, right, bottom = _middle((width, height), 0.5)
    hidden = images.copy()
    hidden[:, top:bottom, left:right] = 128
    return hidden


def unknown(images):
    """No flower of these classes, and so no right answer: 16 tiles in disorder, colours turned."""
    height, width = (side - side % 4 for side in images.shape[1:3])
    tiles = images[:, :height, :width].reshape(-1, 4, height // 4, 4, width // 4, 3)
    tiles = tiles.transpose(0, 1, 3, 2, 4, 5).reshape(len(images), 16, height // 4, width // 4, 3)
    # A full cycle modulo 16: no tile stays, no two neighbours stay neighbours.
    tiles = tiles[:, (np.arange(16) * 7 + 3) % 16][..., [1, 2, 0]]
    tiles = tiles.reshape(-1, 4, 4, height // 4, width // 4, 3).transpose(0, 1, 3, 2, 4, 5)
    shown = images.copy()
    shown[:, :height, :width] = tiles.reshape(-1, height, width, 3)
    return shown


def class_gone(count):
    """Take away the first class."""
    return np.r_[0.0, np.ones(count - 1)] / (count - 1)


def class_tripled(count):
    """Send the first class three times as often, relative to the others."""
    return np.r_[3.0, np.ones(count - 1)] / (count + 2)


def season(count):
    """Each class comes half as often as the one before."""
    weights = 0.5 ** np.arange(count)
    return weights / weights.sum()


def _each(images, function):
    return np.stack([np.asarray(function(Image.fromarray(image))) for image in images])


def _as_jpeg(photo):
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=8)
    return Image.open(buffer).convert("RGB")


def _middle(size, share):
    """Box around the middle of (width, height) with this share of each side."""
    (width, height), edge = size, (1 - share) / 2
    left, top = round(width * edge), round(height * edge)
    return left, top, width - left, height - top


def _between_bars(photo):
    _, top, _, bottom = _middle(photo.size, 0.6)
    framed = Image.new("RGB", photo.size)
    framed.paste(photo.resize((photo.width, bottom - top)), (0, top))
    return framed


# Of images, ndarray of shape (n, height, width, 3), uint8, to the same dtype and, but for
# `rotate`, the same shape.
OF_PIXELS = {
    "grey": grey,
    "swap": swap,
    "darker": darker,
    "blur": blur,
    "noise": noise,
    "jpeg": jpeg,
    "rotate": rotate,
    "crop": crop,
    "letterbox": letterbox,
    "occlude": occlude,
    "unknown": unknown,
}
# Of the number of classes, at least 2, to their shares, shape (count,), sum 1.
OF_CLASSES = {"class-gone": class_gone, "class-tripled": class_tripled, "season": season}
NAMES = (*OF_PIXELS, *OF_CLASSES)
# After these no answer is right.
WITHOUT_ANSWER = ("unknown",)


def apply(name, images):
    """Photos after a shift; those that change only how often a class comes leave them as they are.

    Parameters
    ----------
    name : str
        One of ``NAMES``.
    images : ndarray of shape (n, height, width, 3), uint8

    Returns
    -------
    ndarray of the same shape (`rotate`: height and width exchanged), uint8

    Raises
    ------
    BadInput
        If there is no such shift.
    """
    if name not in NAMES:
        raise BadInput(f"shift {name!r} is unknown: choose one of {', '.join(NAMES)}")
    return OF_PIXELS[name](images) if name in OF_PIXELS else images
