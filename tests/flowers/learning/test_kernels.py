"""Demands on distances and the kernel: as exact as float32 allows, for any number of rows."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from flowers.learning.gram import (
    BATCH_INVARIANT_ROWS,
    CHUNK,
    TILE,
    WIDE,
    apply_rbf,
    compute_distances_to,
    compute_squared_distances,
)
from flowers.learning.standardisation import compute_moments

# Of the largest distance: ten times the rounding of float32.
TOLERANCE = 1e-6


def table(dtype, n=40, d=WIDE + 100, seed=0):
    generator = np.random.default_rng(seed)
    if dtype == "uint8":
        return generator.integers(0, 256, (n, d), dtype=np.uint8)
    return generator.random((n, d)).astype(dtype)


def reference(X, rows=None):
    scaler = StandardScaler().fit(X.astype(float))
    known = scaler.transform(X.astype(float))
    new = known if rows is None else scaler.transform(rows.astype(float))
    return cdist(new, known, "sqeuclidean")


def assert_same_distances(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * expected.max())


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_distances_are_those_of_scipy_on_standardised_rows(dtype):
    X = table(dtype)
    distances, norms = compute_squared_distances(X, *compute_moments(X))
    assert distances.dtype == np.float32 and norms.dtype == np.float64
    assert_same_distances(distances, reference(X))
    standard = StandardScaler().fit_transform(X.astype(float))
    np.testing.assert_allclose(norms, (standard**2).sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_distances_to_new_rows_are_those_of_scipy(dtype):
    X, rows = table(dtype), table(dtype, n=7, seed=1)
    mean, scale = compute_moments(X)
    _, norms = compute_squared_distances(X, mean, scale)
    found = compute_distances_to(rows, X, norms, mean, scale)
    assert found.dtype == np.float32
    assert_same_distances(found, reference(X, rows))


@pytest.mark.parametrize("n", [1, CHUNK + 1, BATCH_INVARIANT_ROWS + 1, TILE + 3])
def test_both_ways_to_a_distance_agree_for_any_number_of_rows(n):
    X = table("uint8", n=n, d=64)
    mean, scale = compute_moments(X)
    distances, norms = compute_squared_distances(X, mean, scale)
    found = compute_distances_to(X, X, norms, mean, scale)
    np.testing.assert_allclose(found, distances, rtol=0, atol=1e-6 * max(distances.max(), 1000))


def test_constant_columns_are_no_distance():
    X = table("uint8", d=60)
    constant = X.copy()
    constant[:, 10:20] = 255
    distances, norms = compute_squared_distances(constant, *compute_moments(constant))
    assert_same_distances(distances, reference(np.delete(X, np.s_[10:20], axis=1)))
    rows = compute_distances_to(constant[:3], constant, norms, *compute_moments(constant))
    assert_same_distances(rows, distances[:3])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_no_distance_is_negative_and_a_row_is_at_0_from_itself(dtype):
    X = table(dtype)
    X[20:] = X[:20]
    mean, scale = compute_moments(X)
    distances, norms = compute_squared_distances(X, mean, scale)
    assert (np.diag(distances) == 0).all()
    to_themselves = compute_distances_to(X, X, norms, mean, scale)
    for found in (distances, to_themselves):
        assert found.min() >= 0
        assert_same_distances(found[:20, 20:], distances[:20, :20])


def test_the_input_is_left_as_it_is():
    X = table("float32", d=50)
    before = X.copy()
    mean, scale = compute_moments(X)
    _, norms = compute_squared_distances(X, mean, scale)
    compute_distances_to(X, X, norms, mean, scale)
    np.testing.assert_array_equal(X, before)


def test_rbf_is_that_of_scikit_learn_and_in_place():
    X = StandardScaler().fit_transform(table("float64", d=30))
    distances = cdist(X, X, "sqeuclidean").astype(np.float32)
    kernel = apply_rbf(distances, 1 / 30)
    assert kernel is distances and kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, rbf_kernel(X, gamma=1 / 30), atol=1e-6)


@pytest.mark.parametrize("n", [BATCH_INVARIANT_ROWS, TILE + 1])
def test_a_row_gets_its_distances_in_any_batch(n):
    X, rows = table("uint8", d=300), table("uint8", n=n, d=300, seed=1)
    mean, scale = compute_moments(X)
    _, norms = compute_squared_distances(X, mean, scale)
    found = compute_distances_to(rows, X, norms, mean, scale)
    alone = np.vstack([compute_distances_to(row[None], X, norms, mean, scale) for row in rows])
    np.testing.assert_allclose(alone, found, rtol=0, atol=TOLERANCE * found.max())
