"""Demands on dense descriptors: what they see, and what they are blind to."""

import numpy as np
import pytest

from flowers.features.descriptors import (
    CELL,
    ORIENTATIONS,
    WIDTHS,
    compute_descriptors,
    resize_to_scale,
)


def picture(height=48, width=64, seed=0):
    """Smooth noise, so that gradients have directions."""
    coarse = np.random.default_rng(seed).random((height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.float32)


def test_there_is_one_descriptor_of_each_kind_for_every_window():
    descriptors, positions = compute_descriptors(picture(48, 64))
    assert len(positions) == (48 // CELL - 3) * (64 // CELL - 3)
    for name, rows in descriptors.items():
        assert rows.shape == (len(positions), WIDTHS[name]) and rows.dtype == np.float32
        assert np.isfinite(rows).all()


def test_positions_are_shares_of_the_photo_around_its_middle():
    _, positions = compute_descriptors(picture(48, 64))
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=1e-6)
    assert np.abs(positions).max() < 0.5
    assert positions[1, 0] > positions[0, 0] and positions[1, 1] == positions[0, 1]


def test_a_plain_photo_has_no_gradients():
    descriptors, _ = compute_descriptors(np.full((32, 32, 3), 0.5, np.float32))
    assert not descriptors["sift"].any() and not descriptors["opponent"].any()


@pytest.mark.parametrize("degrees", range(-175, 190, 15))
def test_a_slope_is_shared_by_the_two_orientations_beside_its_direction(degrees):
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[:32, :32] / 64 - 0.25
    slope = (0.5 + x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
    rows = compute_descriptors(np.repeat(slope[:, :, None], 3, axis=2))[0]["sift"]
    # The middle window, and its first cell, which the limit of 0.2 does not reach.
    shares = rows[len(rows) // 2, :ORIENTATIONS].astype(float) ** 2
    shares /= shares.sum()
    place = (degrees / 45 + ORIENTATIONS / 2) % ORIENTATIONS
    below = int(place)
    demanded = np.zeros(ORIENTATIONS)
    demanded[below], demanded[(below + 1) % ORIENTATIONS] = 1 - place % 1, place % 1
    np.testing.assert_allclose(shares, demanded, atol=1e-3)


def test_brightness_gradients_do_not_see_light_and_contrast():
    image = picture()
    plain, lit = (
        compute_descriptors(i)[0]["sift"]
        for i in (image, np.float32(0.9) * image + np.float32(0.1))
    )
    # The constant under the division lets a little contrast through.
    np.testing.assert_allclose(plain, lit, atol=0.01)


def test_colour_gradients_see_colours_of_equal_brightness():
    image = np.full((32, 32, 3), 0.5, np.float32)
    image[:, 16:] = (0.8, 0.2, 0.5)
    descriptors, _ = compute_descriptors(image)
    assert descriptors["sift"].max() < 0.05
    assert descriptors["opponent"].max() > 0.1


@pytest.mark.parametrize("name", WIDTHS)
def test_a_mirrored_photo_has_the_mirrored_windows(name):
    image = picture(40, 40)
    (plain, _), (mirrored, _) = (
        compute_descriptors(image),
        compute_descriptors(np.ascontiguousarray(image[:, ::-1])),
    )
    side = 40 // CELL - 3
    # The same numbers in another order: sorted, a window equals its mirror image.
    rows = np.sort(mirrored[name].reshape(side, side, -1)[:, ::-1].reshape(side**2, -1), axis=1)
    np.testing.assert_allclose(np.sort(plain[name], axis=1), rows, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "ratio"), [((300, 300), 1), ((400, 200), 2), ((300, 900), 1 / 3), ((5000, 10), 4)]
)
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_photo_gets_its_proportions_back_and_keeps_its_area(size, ratio, scale):
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    height, width, _ = resize_to_scale(image, size, scale).shape
    assert width / height == pytest.approx(ratio, rel=0.12)
    assert height * width == pytest.approx((128 * scale) ** 2, rel=0.1)
    assert height % CELL == width % CELL == 0


def test_the_smallest_photo_still_holds_a_window():
    image = np.zeros((32, 32, 3), np.uint8)
    _, positions = compute_descriptors(resize_to_scale(image, (1000, 10), 0.1))
    assert len(positions) >= 1
