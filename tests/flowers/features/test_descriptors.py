"""Dense descriptors: shapes, sensitivity and invariances."""

import numpy as np
import pytest

from flowers.features.descriptors import (
    CELL,
    ORIENTATIONS,
    WIDTHS,
    compute_descriptors,
    resize_to_scale,
)


def make_image(height=48, width=64, seed=0):
    """Noise in squares of 8 pixels, so that gradients have directions."""
    coarse = np.random.default_rng(seed).random((height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.float32)


def test_each_window_has_one_descriptor_of_each_type_and_a_position():
    descriptors, positions = compute_descriptors(make_image(48, 64))
    assert len(positions) == (48 // CELL - 3) * (64 // CELL - 3)
    for name, rows in descriptors.items():
        assert rows.shape == (len(positions), WIDTHS[name]) and rows.dtype == np.float32
        assert np.isfinite(rows).all()
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=1e-6)
    assert np.abs(positions).max() < 0.5
    assert positions[1, 0] > positions[0, 0] and positions[1, 1] == positions[0, 1]


def test_an_image_of_one_colour_has_no_gradients():
    descriptors, _ = compute_descriptors(np.full((32, 32, 3), 0.5, np.float32))
    assert not descriptors["sift"].any() and not descriptors["opponent"].any()


@pytest.mark.parametrize("degrees", range(-175, 190, 15))
def test_a_slope_is_interpolated_between_the_two_nearest_orientations(degrees):
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[:32, :32] / 64 - 0.25
    slope = (0.5 + x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    rows = compute_descriptors(np.repeat(slope[:, :, None], 3, axis=2))[0]["sift"]
    # The middle window, and its first cell, which the clipping at 0.2 does not change.
    weights = rows[len(rows) // 2, :ORIENTATIONS].astype(float) ** 2
    weights /= weights.sum()
    place = (degrees / 45 + ORIENTATIONS / 2) % ORIENTATIONS
    expected = np.zeros(ORIENTATIONS)
    expected[int(place)] = 1 - place % 1
    expected[(int(place) + 1) % ORIENTATIONS] = place % 1
    np.testing.assert_allclose(weights, expected, atol=1e-3)


def test_sift_is_invariant_to_brightness_and_contrast():
    image = make_image()
    brighter = np.float32(0.9) * image + np.float32(0.1)
    before, after = (compute_descriptors(i)[0]["sift"] for i in (image, brighter))
    # The constant in the divisor leaves a small dependence on contrast.
    np.testing.assert_allclose(before, after, atol=0.01)


def test_opponent_descriptors_detect_colours_of_equal_brightness():
    image = np.full((32, 32, 3), 0.5, np.float32)
    image[:, 16:] = (0.8, 0.2, 0.5)
    descriptors, _ = compute_descriptors(image)
    assert descriptors["sift"].max() < 0.05
    assert descriptors["opponent"].max() > 0.1


@pytest.mark.parametrize("name", WIDTHS)
def test_a_mirrored_image_has_the_mirrored_windows(name):
    image = make_image(40, 40)
    rows = compute_descriptors(image)[0][name]
    mirrored = compute_descriptors(np.ascontiguousarray(image[:, ::-1]))[0][name]
    side = 40 // CELL - 3
    # The same numbers in another order: sorted, a window equals its mirror image.
    mirrored = mirrored.reshape(side, side, -1)[:, ::-1].reshape(side**2, -1)
    np.testing.assert_allclose(np.sort(rows, axis=1), np.sort(mirrored, axis=1), atol=1e-4)


@pytest.mark.parametrize(
    ("size", "ratio"), [((300, 300), 1), ((400, 200), 2), ((300, 900), 1 / 3), ((5000, 10), 4)]
)
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_resizing_restores_the_aspect_ratio_and_keeps_the_area(size, ratio, scale):
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    height, width, _ = resize_to_scale(image, size, scale).shape
    assert width / height == pytest.approx(ratio, rel=0.12)
    assert height * width == pytest.approx((128 * scale) ** 2, rel=0.1)
    assert height % CELL == width % CELL == 0
    _, positions = compute_descriptors(resize_to_scale(image[:32, :32], size, 0.1))
    assert len(positions) >= 1
