"""Near-duplicates by colour: all are detected, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image

from flowers.duplicates.colour import compute_thumbnails, find_colour_pairs
from flowers.duplicates.search import group_pairs, select_examples

THRESHOLD = 0.97


def make_pictures(n, side=128, seed=0):
    """Distinct pictures of 16x16 plain cells, which thumbnails keep."""
    cells = np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)
    return cells.repeat(side // 16, axis=1).repeat(side // 16, axis=2)


def reencode(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))


CHANGES = {
    "same": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "re-encoded": reencode,
    "brighter": lambda image: (60 + 0.6 * image).astype(np.uint8),
    "darker": lambda image: (0.5 * image).astype(np.uint8),
    "all at once": lambda image: reencode((40 + 0.6 * image[:, ::-1]).astype(np.uint8)),
}


def test_a_thumbnail_is_the_mean_of_each_cell():
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    cell = image[0, 6:8, 10:12].reshape(4, 3).mean(axis=0)
    np.testing.assert_allclose(compute_thumbnails(image)[0, 3, 5], cell, rtol=1e-6)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_a_near_duplicate(change):
    images = make_pictures(6)
    images[4] = CHANGES[change](images[1])
    pairs, correlation = find_colour_pairs(images, THRESHOLD)
    assert pairs.tolist() == [[1, 4]]
    assert THRESHOLD < correlation[0] <= 1 + 1e-5


def test_distinct_flipped_and_plain_pictures_have_no_near_duplicates():
    images = make_pictures(50)
    images[1] = images[0, ::-1]
    images[2] = 0
    pairs, correlation = find_colour_pairs(images, THRESHOLD)
    assert pairs.shape == (0, 2) and correlation.shape == (0,)
    np.testing.assert_array_equal(group_pairs(pairs, 50), np.arange(50))


def test_a_chain_of_near_duplicates_is_one_group():
    ends = make_pictures(2, side=16).reshape(2, -1).astype(float)
    ends -= ends.mean(axis=1, keepdims=True)
    first, other = ends / np.linalg.norm(ends, axis=1, keepdims=True)
    # Correlations are cosines: neighbours at 12 degrees are above the threshold, the ends are not.
    rotated = [np.cos(a) * first + np.sin(a) * other for a in np.radians([0, 12, 24])]
    images = np.round(128 + 1500 * np.stack(rotated)).astype(np.uint8).reshape(3, 16, 16, 3)
    pairs, _ = find_colour_pairs(images, THRESHOLD)
    assert pairs.tolist() == [[0, 1], [1, 2]]
    assert group_pairs(pairs, 3).tolist() == [0, 0, 0]


def test_conflicting_labels_are_selected_first_then_low_correlations():
    pairs = np.array([[0, 1], [2, 3], [4, 5]])
    matches = {"colour": (pairs, np.array([0.98, 0.99, 0.975]))}
    rows, _ = select_examples(matches, np.array(list("aabcdd")), 2)
    assert rows.tolist() == [2, 3, 4, 5]
