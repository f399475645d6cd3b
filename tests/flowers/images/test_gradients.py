"""Demands on directions of gradients."""

import numpy as np
import pytest

from flowers.images.gradients import compute_octants


def test_directions_are_those_of_arctan2():
    dx, dy = np.random.default_rng(0).normal(size=(2, 300, 40)).astype(np.float32)
    away = np.abs(compute_octants(dx, dy) - np.arctan2(dy, dx) * 4 / np.pi)
    assert np.minimum(away, 8 - away).max() < 2e-4


@pytest.mark.parametrize("dx", [0, 1e-20, 0.5, 255])
@pytest.mark.parametrize("dy", [0, 1e-20, 0.5, 255])
def test_on_the_axes_and_diagonals_and_without_a_gradient_they_are_finite_and_right(dx, dy):
    signs = np.float32([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    dx, dy = (signs * np.float32([dx, dy])).T
    found = compute_octants(dx, dy)
    assert np.isfinite(found).all() and np.abs(found).max() <= 4 + 2e-4
    seen = np.hypot(dx, dy) > 1e-6
    away = np.abs(found - np.arctan2(dy, dx) * 4 / np.pi)[seen]
    assert (np.minimum(away, 8 - away) < 2e-4).all()
