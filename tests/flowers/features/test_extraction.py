"""Demands on the feature extractors: shapes, ranges, and what each is sensitive to."""

import numpy as np
import pytest

from flowers.features.colour import LEVELS as COLOUR_LEVELS
from flowers.features.colour import extract_colour
from flowers.features.extraction import EXTRACTORS, extract_features
from flowers.features.hog import BINS as HOG_BINS
from flowers.features.hog import extract_hog
from flowers.features.pixels import extract_pixels
from tests.flowers.features.codebooks import small_codebook

SIDE = 48


def features_of(images, name):
    return extract_features(images, [name], codebook=small_codebook())


def noise(n=4, side=SIDE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def plain(*rgb):
    return np.full((1, SIDE, SIDE, 3), rgb, dtype=np.uint8)


def edge():
    """Dark on the left, bright on the right: every gradient points along a row."""
    image = plain(20, 20, 20)
    image[:, :, SIDE // 2 :] = 220
    return image


@pytest.mark.parametrize(
    ("name", "width", "dtype"),
    [("pixels", 3 * SIDE**2, "uint8"), ("colour", 4 * 216, "float32"), ("hog", 4 * 36, "float32")],
)
def test_each_extractor_has_its_shape_dtype_and_range(name, width, dtype):
    features = extract_features(noise(), [name])
    assert features.shape == (4, width) and features.dtype == dtype
    assert features.min() >= 0 and features.max() <= (255 if dtype == "uint8" else 1)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_the_features_of_a_photo_do_not_depend_on_its_batch(name):
    images = noise()
    together = features_of(images, name)
    for i in range(len(images)):
        np.testing.assert_array_equal(features_of(images[i : i + 1], name)[0], together[i])


@pytest.mark.parametrize("name", EXTRACTORS)
def test_features_tell_photos_apart_and_leave_them_alone(name):
    images = noise()
    before = images.copy()
    features = features_of(images, name)
    assert len(np.unique(features, axis=0)) == len(images)
    np.testing.assert_array_equal(images, before)


def test_pixels_are_row_by_row_without_a_copy():
    images = noise()
    assert np.shares_memory(extract_pixels(images), images)
    np.testing.assert_array_equal(extract_pixels(images)[2], images[2].ravel())


def test_extractors_side_by_side_have_pixels_from_0_to_1():
    images = noise()
    found = extract_features(images, ["hog", "pixels", "colour"])
    assert found.dtype == np.float32
    expected = [
        extract_hog(images),
        images.reshape(4, -1) / np.float32(255),
        extract_colour(images),
    ]
    np.testing.assert_array_equal(found, np.hstack(expected))


def test_colour_squared_is_a_histogram_of_each_quarter():
    shares = (extract_colour(noise()) ** 2).reshape(4, 4, COLOUR_LEVELS**3)
    np.testing.assert_allclose(shares.sum(axis=2), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("rgb", "level"),
    [((0, 0, 0), (0, 0, 0)), ((255, 0, 42), (5, 0, 0)), ((42, 43, 255), (0, 1, 5))],
)
def test_one_colour_falls_in_one_cell_of_the_histogram(rgb, level):
    histogram = extract_colour(plain(*rgb)).reshape(4, COLOUR_LEVELS, COLOUR_LEVELS, COLOUR_LEVELS)
    assert (histogram[:, *level] == 1).all() and histogram.sum() == 4


def test_colour_knows_the_quarter_but_not_the_place_in_it():
    image = noise(1)
    half = SIDE // 2
    moved = image.copy()
    moved[:, :half, :half] = moved[:, :half, :half][:, ::-1, ::-1]
    np.testing.assert_array_equal(extract_colour(moved), extract_colour(image))
    swapped = np.roll(image, half, axis=1)
    np.testing.assert_array_equal(
        extract_colour(swapped).reshape(2, 2, -1), extract_colour(image).reshape(2, 2, -1)[::-1]
    )


def test_hog_of_one_colour_is_zero():
    assert not extract_hog(plain(10, 200, 30)).any()


def test_hog_puts_an_edge_in_the_bin_of_its_direction():
    across = extract_hog(edge()).reshape(-1, HOG_BINS)
    along = extract_hog(edge().swapaxes(1, 2)).reshape(-1, HOG_BINS)
    assert set(np.nonzero(across)[1]) == {0}
    # 90 degrees of 180 in nine bins: the middle one.
    assert set(np.nonzero(along)[1]) == {4}


def test_hog_ignores_light_and_sign():
    image = noise(1) // 2
    for changed in (image + 100, 255 - image):
        np.testing.assert_allclose(extract_hog(changed), extract_hog(image), atol=1e-4)
    np.testing.assert_allclose(extract_hog(image * 2), extract_hog(image), atol=1e-3)


def test_hog_takes_the_strongest_channel():
    grey, blue = edge(), edge()
    blue[..., :2] = 0
    np.testing.assert_allclose(extract_hog(blue), extract_hog(grey), atol=1e-6)
