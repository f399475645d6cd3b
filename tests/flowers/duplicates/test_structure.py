"""Near-duplicates by structure: colours, backdrops and crops may differ."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from flowers.duplicates.structure import (
    TASK_IMAGES,
    WHOLE,
    compute_structure,
    find_crop_pairs,
    find_structure_pairs,
)

THRESHOLD = 0.8


def make_pictures(n, side=128, seed=0):
    """Distinct pictures of soft blots."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((side, side), 3)) for c in cells])


def swap_colours(picture):
    red, green, blue = picture.split()
    return ImageEnhance.Color(Image.merge("RGB", (blue, red, green))).enhance(0.7)


def replace_backdrop(picture):
    backed = Image.new("RGB", picture.size, "navy")
    backed.paste(picture.crop((16, 16, 112, 112)), (16, 16))
    return backed


def crop(share, left, top):
    def change(picture):
        side, x, y = (round(128 * part) for part in (share, left, top))
        return picture.crop((x, y, x + side, y + side)).resize(picture.size)

    return change


SAME_PLACE = {
    "same": lambda picture: picture,
    "mirrored": ImageOps.mirror,
    "recoloured": swap_colours,
    "negative": ImageOps.invert,
    "re-backed": replace_backdrop,
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(1.5)),
}
MOVED = {
    "framed": lambda picture: ImageOps.expand(picture, 10, "white").resize(picture.size),
    "cropped to 90 %": crop(0.9, 0.1, 0.0),
    "cropped to 85 %": crop(0.85, 0.05, 0.12),
    "cropped to 75 %": crop(0.75, 0.2, 0.03),
    "cropped and mirrored": lambda picture: ImageOps.mirror(crop(0.8, 0.1, 0.1)(picture)),
}


def plant_copy(change):
    images = make_pictures(6)
    images[4] = np.asarray(change(Image.fromarray(images[1])))
    return images


@pytest.mark.parametrize("change", SAME_PLACE)
def test_a_copy_with_other_colours_or_backdrop_is_a_near_duplicate(change):
    pairs, correlation = find_structure_pairs(plant_copy(SAME_PLACE[change]), THRESHOLD)
    assert pairs.tolist() == [[1, 4]]
    assert THRESHOLD < correlation[0] <= 1 + 1e-5


@pytest.mark.parametrize("change", MOVED)
def test_a_crop_is_a_near_duplicate_in_either_order(change):
    images = plant_copy(MOVED[change])
    assert find_crop_pairs(images, 0.7)[0].tolist() == [[1, 4]]
    assert find_crop_pairs(images[::-1], 0.7)[0].tolist() == [[1, 4]]


def test_distinct_and_plain_pictures_have_no_near_duplicates():
    images = make_pictures(20)
    images[1] = 0
    images[3] = 255
    for search in (find_structure_pairs, find_crop_pairs):
        pairs, correlation = search(images, THRESHOLD)
        assert pairs.shape == (0, 2) and pairs.dtype == np.int64 and correlation.shape == (0,)


@pytest.mark.parametrize("side", [32, 48, 64, 112, 256])
def test_every_image_size_has_a_structure(side):
    images = make_pictures(3, side)
    images[2] = images[0, :, ::-1]
    assert compute_structure(images, WHOLE).shape == (3, 576)
    assert find_structure_pairs(images, THRESHOLD)[0].tolist() == [[0, 2]]


def test_pairs_across_blocks_of_rows_are_found_once():
    images = make_pictures(2 * TASK_IMAGES + 6, side=32)
    expected = [
        [0, 2 * TASK_IMAGES + 5],
        [5, TASK_IMAGES],
        [TASK_IMAGES - 1, TASK_IMAGES + 1],
        [TASK_IMAGES + 2, TASK_IMAGES + 3],
    ]
    for i, j in expected:
        images[j] = images[i, :, ::-1]
    assert find_structure_pairs(images, 0.95)[0].tolist() == expected
