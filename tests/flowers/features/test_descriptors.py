"""Dense descriptors: shapes, sensitivity and invariances."""

import numpy as np
import pytest

from flowers.features import descriptors as module
from flowers.features.descriptors import (
    CELL,
    MIRRORED,
    ORIENTATIONS,
    WIDTHS,
    compute_descriptors,
    resize_to_scale,
)


def make_image(height=48, width=64, seed=0):
    """Noise in squares of 8 pixels, so that gradients have directions."""
    coarse = np.random.default_rng(seed).random((height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.float32)


def to_bytes(image):
    """Pixels from 0 to 255 of an image with values from 0 to 1."""
    return np.rint(255 * image).astype(np.uint8)


def describe(image):
    return compute_descriptors(to_bytes(image), (1, 1), (1.0,))


@pytest.mark.parametrize("size", [(1, 1), (3, 4)])
def test_each_window_has_one_descriptor_of_each_type_and_a_position(size):
    image = to_bytes(make_image(64, 64))
    descriptors, positions = compute_descriptors(image, size, (1.0, 0.5))
    count = 0
    for scale in (1.0, 0.5):
        height, width, _ = resize_to_scale(image, size, scale).shape
        columns = width // CELL - 3
        # Both halves have the middle column of an odd number.
        count += (height // CELL - 3) * (columns + columns % 2)
    assert len(positions) == count
    for name, rows in descriptors.items():
        assert rows.shape == (count, WIDTHS[name]) and rows.dtype == np.float32
        assert np.isfinite(rows).all()
    assert positions[:, 0].min() > -0.5 and positions[:, 0].max() <= 0
    assert positions[:, 1].mean() == pytest.approx(0, abs=1e-6)
    assert positions[1, 0] > positions[0, 0] and positions[1, 1] == positions[0, 1]


@pytest.mark.parametrize("width", [64, 60])
def test_an_image_and_its_mirror_image_have_the_same_descriptors(width):
    scaled = make_image(48, width)
    cells, mirrored = (
        module._compute_cells(np.ascontiguousarray(image)) for image in (scaled, scaled[:, ::-1])
    )
    for name in WIDTHS:
        flipped = mirrored[name][:, ::-1, MIRRORED[name]]
        np.testing.assert_allclose(flipped, cells[name], atol=1e-5)
    square = to_bytes(make_image(64, 64))
    rows, other = (describe(image / 255)[0] for image in (square, square[:, ::-1]))
    half = len(rows["sift"]) // 2
    for name in WIDTHS:
        np.testing.assert_allclose(np.roll(other[name], half, axis=0), rows[name], atol=1e-4)


def test_an_image_of_one_colour_has_no_gradients():
    descriptors, _ = describe(np.full((32, 32, 3), 0.5, np.float32))
    assert not descriptors["sift"].any() and not descriptors["opponent"].any()


@pytest.mark.parametrize("degrees", range(-175, 190, 15))
def test_a_slope_is_interpolated_between_the_two_nearest_orientations(degrees):
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[:32, :32] / 64 - 0.25
    slope = (0.5 + x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    # The first cell of one window; bytes would round the slope.
    weights = module._compute_cells(np.repeat(slope[:, :, None], 3, axis=2))["sift"][2, 2]
    weights = weights.astype(float) / weights.sum()
    place = (degrees / 45 + ORIENTATIONS / 2) % ORIENTATIONS
    expected = np.zeros(ORIENTATIONS)
    expected[int(place)] = 1 - place % 1
    expected[(int(place) + 1) % ORIENTATIONS] = place % 1
    np.testing.assert_allclose(weights, expected, atol=1e-3)


def test_sift_is_invariant_to_brightness_and_contrast():
    image = make_image(64, 64)
    brighter = np.float32(0.9) * image + np.float32(0.1)
    before, after = (describe(i)[0]["sift"] for i in (image, brighter))
    # The constant in the divisor leaves a small dependence on contrast.
    np.testing.assert_allclose(before, after, atol=0.01)


def test_opponent_descriptors_detect_colours_of_equal_brightness():
    image = np.full((32, 32, 3), 128 / 255)
    image[:, 16:] = np.array([204, 52, 128]) / 255
    descriptors, _ = describe(image)
    assert descriptors["sift"].max() < 0.05
    assert descriptors["opponent"].max() > 0.1


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
    _, positions = compute_descriptors(image[:32, :32], size, (0.1,))
    assert len(positions) >= 1
