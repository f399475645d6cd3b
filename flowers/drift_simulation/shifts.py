"""Named shifts of images and of class proportions, to measure what the drift detector detects."""

import io
from zlib import crc32

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from flowers.images.statistics import LUMA


def remove_colour(images):
    """Replace colour by brightness (luma) in all three channels."""
    return np.repeat(np.rint(images @ LUMA).astype(np.uint8)[..., None], 3, axis=-1)


def swap_channels(images):
    """Exchange red and blue, as a decoder that takes BGR for RGB does."""
    return images[..., ::-1]


def reduce_brightness(images):
    """Scale brightness to 60 %."""
    return np.rint(images * 0.6).astype(np.uint8)


def blur_images(images):
    """Blur with a Gaussian whose standard deviation is 1/64 of the height."""
    sigma = images.shape[1] / 64
    return gaussian_filter(images, (0, sigma, sigma, 0))


def add_noise(images):
    """Add Gaussian noise of standard deviation 25 of 255, the same for the same image."""
    generators = (np.random.default_rng(crc32(image.tobytes())) for image in images)
    noise = np.stack([rng.normal(0, 25, images.shape[1:]) for rng in generators])
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def compress_jpeg(images):
    """Compress as JPEG of quality 8."""
    return _map_images(images, _save_jpeg)


def rotate_images(images):
    """Rotate by 90 degrees, as where EXIF orientation is lost; width and height are exchanged."""
    return np.rot90(images, axes=(1, 2))


def crop_centre(images):
    """Crop to the centre, 60 % of each side, and resize to the full size."""
    return _map_images(images, lambda image: image.resize(image.size, box=_centre(image.size, 0.6)))


def add_bars(images):
    """Shrink to 60 % of the height between black bars (letterbox)."""
    return _map_images(images, _letterbox)


def occlude_centre(images):
    """Cover the centre, half of each side, with a grey rectangle."""
    left, top, right, bottom = _centre(images.shape[2:0:-1], 0.5)
    occluded = images.copy()
    occluded[:, top:bottom, left:right] = 128
    return occluded


def shuffle_tiles(images):
    """Make images of no known class: 16 tiles in another order with rotated colour channels."""
    height, width = (side - side % 4 for side in images.shape[1:3])
    tiles = images[:, :height, :width].reshape(-1, 4, height // 4, 4, width // 4, 3)
    tiles = tiles.transpose(0, 1, 3, 2, 4, 5).reshape(len(images), 16, height // 4, width // 4, 3)
    # A full cycle modulo 16: no tile keeps its place, no two neighbours stay neighbours.
    tiles = tiles[:, (np.arange(16) * 7 + 3) % 16][..., [1, 2, 0]]
    tiles = tiles.reshape(-1, 4, 4, height // 4, width // 4, 3).transpose(0, 1, 3, 2, 4, 5)
    shuffled = images.copy()
    shuffled[:, :height, :width] = tiles.reshape(-1, height, width, 3)
    return shuffled


def remove_class(count):
    """Class proportions without the first class."""
    return np.r_[0.0, np.ones(count - 1)] / (count - 1)


def triple_class(count):
    """Class proportions with three times as much of the first class, relative to the others."""
    return np.r_[3.0, np.ones(count - 1)] / (count + 2)


def halve_successively(count):
    """Class proportions of which each is half of the one before."""
    weights = 0.5 ** np.arange(count)
    return weights / weights.sum()


def save_smaller(images):
    """Save again as JPEG of quality 85 at half the size, as a client does for a thumbnail."""
    return _map_images(
        images, lambda i: _save_jpeg(i.resize((i.width // 2, i.height // 2)), 85).resize(i.size)
    )


def save_again(images):
    """Save again as JPEG of quality 85."""
    return _map_images(images, lambda image: _save_jpeg(image, 85))


def _map_images(images, function):
    return np.stack([np.asarray(function(Image.fromarray(image))) for image in images])


def _save_jpeg(image, quality=8):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _centre(size, share):
    """Box around the centre of (width, height) with this share of each side."""
    left, top = (round(side * (1 - share) / 2) for side in size)
    return left, top, size[0] - left, size[1] - top


def _letterbox(image):
    _, top, _, bottom = _centre(image.size, 0.6)
    framed = Image.new("RGB", image.size)
    framed.paste(image.resize((image.width, bottom - top)), (0, top))
    return framed


# From images, ndarray of shape (n, height, width, 3), uint8, to the same dtype and, except for
# `rotate_images` (height and width exchanged), the same shape.
IMAGE_SHIFTS = {
    "grey": remove_colour,
    "swap": swap_channels,
    "darker": reduce_brightness,
    "blur": blur_images,
    "noise": add_noise,
    "jpeg": compress_jpeg,
    "rotate": rotate_images,
    "crop": crop_centre,
    "letterbox": add_bars,
    "occlude": occlude_centre,
    "unknown": shuffle_tiles,
}
# Copies of a photo that a client may send after it; the order of `simulate_false_alarms`.
COPIES = (save_smaller, save_again)
# From the number of classes, at least 2, to their proportions, shape (count,), sum 1.
LABEL_SHIFTS = {
    "class-gone": remove_class,
    "class-tripled": triple_class,
    "season": halve_successively,
}
NAMES = (*IMAGE_SHIFTS, *LABEL_SHIFTS)
# Shifts to images of no known class: no prediction is correct.
WITHOUT_TRUTH = ("unknown",)
