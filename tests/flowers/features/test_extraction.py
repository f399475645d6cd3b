"""Feature extractors: shapes, ranges, sensitivity and invariances."""

import numpy as np
import pytest

from flowers.features.colour import LEVELS, extract_colour
from flowers.features.extraction import EXTRACTORS, extract_features
from flowers.features.hog import BINS, extract_hog
from flowers.features.pixels import extract_pixels
from tests.flowers.features.codebooks import small_codebook

SIDE = 48


def extract_one(images, name):
    return extract_features(images, [name], codebook=small_codebook())


def make_noise(n=4):
    return np.random.default_rng(0).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)


def make_uniform(*rgb):
    return np.full((1, SIDE, SIDE, 3), rgb, dtype=np.uint8)


def make_edge():
    """Dark on the left, bright on the right: all gradients are horizontal."""
    image = make_uniform(20, 20, 20)
    image[:, :, SIDE // 2 :] = 220
    return image


@pytest.mark.parametrize(
    ("name", "width", "dtype"),
    [("pixels", 3 * SIDE**2, "uint8"), ("colour", 4 * 216, "float32"), ("hog", 4 * 36, "float32")],
)
def test_an_extractor_has_its_shape_dtype_and_range(name, width, dtype):
    features = extract_features(make_noise(), [name])
    assert features.shape == (4, width) and features.dtype == dtype
    assert features.min() >= 0 and features.max() <= (255 if dtype == "uint8" else 1)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_features_differ_between_images_and_not_between_batches(name):
    images = make_noise()
    before = images.copy()
    features = extract_one(images, name)
    assert len(np.unique(features, axis=0)) == len(images)
    for i in range(len(images)):
        np.testing.assert_array_equal(extract_one(images[i : i + 1], name)[0], features[i])
    np.testing.assert_array_equal(images, before)


def test_pixels_are_flattened_without_a_copy():
    images = make_noise()
    assert np.shares_memory(extract_pixels(images), images)
    np.testing.assert_array_equal(extract_pixels(images)[2], images[2].ravel())


def test_concatenated_features_have_pixels_from_0_to_1():
    images = make_noise()
    features = extract_features(images, ["hog", "pixels", "colour"])
    assert features.dtype == np.float32
    pixels = images.reshape(4, -1) / np.float32(255)
    expected = np.hstack([extract_hog(images), pixels, extract_colour(images)])
    np.testing.assert_array_equal(features, expected)
    rows = extract_features(images, ["hog", "fisher"], codebook=small_codebook())
    assert rows.dtype == np.float32 and np.abs(rows).max() <= 1


def test_squared_colour_features_are_a_histogram_of_each_quarter():
    histograms = (extract_colour(make_noise()) ** 2).reshape(4, 4, LEVELS**3)
    np.testing.assert_allclose(histograms.sum(axis=2), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("rgb", "level"),
    [((0, 0, 0), (0, 0, 0)), ((255, 0, 42), (5, 0, 0)), ((42, 43, 255), (0, 1, 5))],
)
def test_one_colour_falls_in_one_cell_of_the_histogram(rgb, level):
    histogram = extract_colour(make_uniform(*rgb)).reshape(4, LEVELS, LEVELS, LEVELS)
    assert (histogram[:, *level] == 1).all() and histogram.sum() == 4


def test_colour_depends_on_the_quarter_but_not_on_the_position_in_it():
    image = make_noise(1)
    half = SIDE // 2
    moved = image.copy()
    moved[:, :half, :half] = moved[:, :half, :half][:, ::-1, ::-1]
    np.testing.assert_array_equal(extract_colour(moved), extract_colour(image))
    swapped = extract_colour(np.roll(image, half, axis=1)).reshape(2, 2, -1)
    np.testing.assert_array_equal(swapped, extract_colour(image).reshape(2, 2, -1)[::-1])


def test_hog_puts_an_edge_in_the_bin_of_its_direction():
    assert not extract_hog(make_uniform(10, 200, 30)).any()
    horizontal = extract_hog(make_edge()).reshape(-1, BINS)
    vertical = extract_hog(make_edge().swapaxes(1, 2)).reshape(-1, BINS)
    assert set(np.nonzero(horizontal)[1]) == {0}
    # 90 degrees of 180 in nine bins: the middle one.
    assert set(np.nonzero(vertical)[1]) == {4}


def test_hog_is_invariant_to_brightness_contrast_and_sign():
    image = make_noise(1) // 2
    for changed in (image + 100, 255 - image):
        np.testing.assert_allclose(extract_hog(changed), extract_hog(image), atol=1e-4)
    np.testing.assert_allclose(extract_hog(image * 2), extract_hog(image), atol=1e-3)


def test_hog_takes_the_channel_of_the_largest_gradient():
    grey = make_edge()
    blue = make_edge()
    blue[..., :2] = 0
    np.testing.assert_allclose(extract_hog(blue), extract_hog(grey), atol=1e-6)
