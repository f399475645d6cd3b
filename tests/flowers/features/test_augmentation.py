"""Altered copies: deterministic, of the same subject, without a seam."""

import numpy as np
import pytest

from flowers.features.augmentation import alter_image


def make_photo(side=64):
    """Make a bright bar, a third of a side long, on a dark background."""
    image = np.full((side, side, 3), (20, 60, 40), np.uint8)
    image[28:36, 20:44] = (220, 120, 160)
    return image


def test_a_copy_has_the_shape_of_the_image_and_depends_on_the_seed_only():
    image = make_photo()
    copy = alter_image(image, (4, 3), (1, 7))
    assert copy.shape == image.shape and copy.dtype == np.uint8
    assert np.array_equal(copy, alter_image(image, (4, 3), (1, 7)))
    assert not np.array_equal(copy, alter_image(image, (4, 3), (2, 7)))
    assert np.array_equal(image, make_photo())


@pytest.mark.parametrize("size", [(1, 1), (4, 1), (1, 9)])
def test_no_pixel_of_a_copy_lies_outside_the_image(size):
    white = np.full((32, 32, 3), 255, np.uint8)
    for seed in range(20):
        copy = alter_image(white, size, seed)
        assert (copy == copy[0, 0]).all()  # no black corners


def test_an_angle_is_one_of_the_original_aspect_ratio():
    """A bar along x of a photo 2:1 turns by the same angle as in a square photo."""
    angles = []
    for size in ((1, 1), (2, 1)):
        copy = alter_image(make_photo(), size, 3)[:, :, 0].astype(float)
        y, x = np.nonzero(copy > copy.mean() + copy.std())
        slope = np.polyfit(x * size[0] / size[1], y, 1)[0]
        angles.append(np.degrees(np.arctan(slope)))
    assert abs(angles[0]) > 3 and angles[0] == pytest.approx(angles[1], abs=2)


def test_half_of_the_copies_are_brighter_than_the_image():
    grey = np.full((16, 16, 3), 128, np.uint8)
    brighter = [alter_image(grey, (1, 1), seed).mean() > 128 for seed in range(200)]
    assert 0.4 < np.mean(brighter) < 0.6
