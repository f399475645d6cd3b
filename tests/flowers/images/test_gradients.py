"""Gradient directions equal arctan2 within the stated error."""

import numpy as np
import pytest

from flowers.images.gradients import compute_octants


def test_directions_are_those_of_arctan2():
    dx, dy = np.random.default_rng(0).normal(size=(2, 300, 40)).astype(np.float32)
    distance = np.abs(compute_octants(dx, dy) - np.arctan2(dy, dx) * 4 / np.pi)
    assert np.minimum(distance, 8 - distance).max() < 2e-4


@pytest.mark.parametrize("dx", [0, 1e-20, 0.5, 255])
@pytest.mark.parametrize("dy", [0, 1e-20, 0.5, 255])
def test_directions_on_axes_and_diagonals_are_right_and_finite_without_a_gradient(dx, dy):
    signs = np.float32([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    dx, dy = (signs * np.float32([dx, dy])).T
    octants = compute_octants(dx, dy)
    assert np.isfinite(octants).all() and np.abs(octants).max() <= 4 + 2e-4
    nonzero = np.hypot(dx, dy) > 1e-6
    distance = np.abs(octants - np.arctan2(dy, dx) * 4 / np.pi)[nonzero]
    assert (np.minimum(distance, 8 - distance) < 2e-4).all()
