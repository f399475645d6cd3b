"""Demands on standardisation and the kernel: as exact as float32 allows, in any block."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from flowers.learning import kernels
from flowers.learning.kernels import (
    BLOCK,
    CHUNK,
    FEW,
    TILE,
    WIDE,
    blocks,
    moments,
    products,
    rbf,
    squared_distances,
    squared_distances_to,
)

# Of the largest distance: ten times the rounding of float32.
TOLERANCE = 1e-6


def table(dtype, n=40, d=WIDE + BLOCK + 100, seed=0):
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


@pytest.mark.parametrize("width", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_cover_every_column_once(width):
    parts = blocks(width)
    assert [i for part in parts for i in range(width)[part]] == list(range(width))
    assert max(part.stop - part.start for part in parts) <= BLOCK


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_moments_are_those_of_standard_scaler(dtype):
    X = table(dtype)
    scaler = StandardScaler().fit(X.astype(float))
    mean, scale = moments(X)
    assert mean.dtype == scale.dtype == np.float64
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(scale, scaler.scale_, rtol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, 255.0, -1e9])
def test_a_constant_column_has_scale_1(constant):
    X = table("float64", d=5)
    X[:, 2] = constant
    _, scale = moments(X)
    assert scale[2] == 1.0 == StandardScaler().fit(X).scale_[2]


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_distances_are_those_of_scipy_on_standardised_rows(dtype):
    X = table(dtype)
    distances, norms = squared_distances(X, *moments(X))
    assert distances.dtype == np.float32 and norms.dtype == np.float64
    assert_same_distances(distances, reference(X))
    standard = StandardScaler().fit_transform(X.astype(float))
    np.testing.assert_allclose(norms, (standard**2).sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_distances_to_new_rows_are_those_of_scipy(dtype):
    X, rows = table(dtype), table(dtype, n=7, seed=1)
    mean, scale = moments(X)
    _, norms = squared_distances(X, mean, scale)
    found = squared_distances_to(rows, X, norms, mean, scale)
    assert found.dtype == np.float32
    assert_same_distances(found, reference(X, rows))


@pytest.mark.parametrize("n", [1, CHUNK + 1, FEW + 1, TILE + 3])
def test_both_ways_to_a_distance_agree_for_any_number_of_rows(n):
    X = table("uint8", n=n, d=64)
    mean, scale = moments(X)
    distances, norms = squared_distances(X, mean, scale)
    found = squared_distances_to(X, X, norms, mean, scale)
    np.testing.assert_allclose(found, distances, rtol=0, atol=1e-6 * max(distances.max(), 1000))


def test_constant_columns_are_no_distance():
    X = table("uint8", d=60)
    constant = X.copy()
    constant[:, 10:20] = 255
    distances, norms = squared_distances(constant, *moments(constant))
    assert_same_distances(distances, reference(np.delete(X, np.s_[10:20], axis=1)))
    rows = squared_distances_to(constant[:3], constant, norms, *moments(constant))
    assert_same_distances(rows, distances[:3])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_no_distance_is_negative_and_a_row_is_at_0_from_itself(dtype):
    X = table(dtype)
    X[20:] = X[:20]
    mean, scale = moments(X)
    distances, norms = squared_distances(X, mean, scale)
    assert (np.diag(distances) == 0).all()
    to_themselves = squared_distances_to(X, X, norms, mean, scale)
    for found in (distances, to_themselves):
        assert found.min() >= 0
        assert_same_distances(found[:20, 20:], distances[:20, :20])


def test_the_input_is_left_as_it_is():
    X = table("float32", d=50)
    before = X.copy()
    mean, scale = moments(X)
    _, norms = squared_distances(X, mean, scale)
    squared_distances_to(X, X, norms, mean, scale)
    np.testing.assert_array_equal(X, before)


def test_rbf_is_that_of_scikit_learn_and_in_place():
    X = StandardScaler().fit_transform(table("float64", d=30))
    distances = cdist(X, X, "sqeuclidean").astype(np.float32)
    kernel = rbf(distances, 1 / 30)
    assert kernel is distances and kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, rbf_kernel(X, gamma=1 / 30), atol=1e-6)


def test_a_symmetric_product_is_symmetric_bit_by_bit_and_takes_half_of_the_tiles(monkeypatch):
    X, counted = table("float32", n=3 * TILE, d=70), []

    def tile(*arguments):
        counted.append(arguments)
        return one_tile(*arguments)

    one_tile = kernels._tile
    monkeypatch.setattr(kernels, "_tile", tile)
    product, _ = products(X, *moments(X))
    assert product.tobytes() == product.T.copy().tobytes()
    assert len(counted) == 6


@pytest.mark.parametrize("n", [FEW, TILE + 1])
def test_a_row_gets_its_distances_in_any_batch(n):
    X, rows = table("uint8", d=300), table("uint8", n=n, d=300, seed=1)
    mean, scale = moments(X)
    _, norms = squared_distances(X, mean, scale)
    found = squared_distances_to(rows, X, norms, mean, scale)
    alone = np.vstack([squared_distances_to(row[None], X, norms, mean, scale) for row in rows])
    np.testing.assert_allclose(alone, found, rtol=0, atol=TOLERANCE * found.max())
