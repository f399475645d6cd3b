"""Gram matrices and kernels: the precision of float32, the same bits for any task size."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from flowers.base.parallel import use_workers
from flowers.learning import gram
from flowers.learning.standardisation import compute_moments
from tests.flowers.learning.estimator_data import make_table

# Relative to the largest distance: ten times the rounding of float32.
TOLERANCE = 1e-6


def reference_distances(X, rows):
    scaler = StandardScaler().fit(X.astype(float))
    return cdist(*(scaler.transform(a.astype(float)) for a in (rows, X)), "sqeuclidean")


def assert_same_distances(distances, expected):
    np.testing.assert_allclose(distances, expected, rtol=0, atol=TOLERANCE * expected.max())


@pytest.mark.parametrize(
    "n", [1, 31, gram.TILE, gram.TILE + 1, 2 * gram.TILE + 1, 3499, 4000, 20 * gram.TILE]
)
@pytest.mark.parametrize("count", [1, 4, 100])
def test_tile_rows_cover_every_row_once(n, count):
    tiles = gram.make_tiles(n)
    tile_rows = gram.make_tile_rows(n, count)
    assert [tile for tile_row in tile_rows for tile in tile_row] == tiles
    assert [i for tile in tiles for i in range(n)[tile]] == list(range(n))
    sizes = [tile.stop - tile.start for tile in tiles]
    assert max(sizes) <= gram.TILE and len(set(sizes[:-1])) <= 1
    assert len(tiles) == 1 or (len(tiles) % 2 == 0 and sizes[0] % gram.TILE_MULTIPLE == 0)
    assert max(map(len, tile_rows)) <= gram.MAX_TILES
    assert len(tile_rows) >= min(count, len(tiles))


@pytest.mark.parametrize("n", [40, 3 * gram.TILE])
def test_products_are_those_of_numpy(n):
    X = make_table("float32", n, 70)
    new = make_table("float32", gram.TILE + 9, 70, seed=1)
    mean, scale = compute_moments(X)
    scaler = StandardScaler().fit(X.astype(float))
    training = scaler.transform(X.astype(float))
    test = scaler.transform(new.astype(float))
    results = [gram.compute_gram(X, mean, scale), gram.compute_cross_gram(new, X, mean, scale)]
    for (product, norms), rows in zip(results, (training, test), strict=True):
        np.testing.assert_allclose(product, rows @ training.T, rtol=0, atol=1e-3)
        np.testing.assert_allclose(norms, (rows**2).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_bits_do_not_depend_on_the_size_of_tasks(workers, monkeypatch):
    X = make_table("float32", 5 * gram.TILE + 7, 70)
    new = make_table("float32", gram.TILE + 9, 70, seed=1)
    mean, scale = compute_moments(X)
    with use_workers(workers, "threading"):
        results = [
            *gram.compute_gram(X, mean, scale),
            *gram.compute_cross_gram(new, X, mean, scale),
        ]
    monkeypatch.setattr(gram, "MAX_TILES", 1)
    expected = [*gram.compute_gram(X, mean, scale), *gram.compute_cross_gram(new, X, mean, scale)]
    assert [r.tobytes() for r in results] == [e.tobytes() for e in expected]


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_distances_are_those_of_scipy_and_leave_the_rows_unchanged(dtype):
    width = gram.TILE_COLUMNS + 100
    X = make_table(dtype, d=width)
    rows = make_table(dtype, 7, width, seed=1)
    X[:, 10:20] = 1  # constant columns do not change a distance
    rows[:, 10:20] = 1
    before = X.copy(), rows.copy()
    mean, scale = compute_moments(X)
    distances, norms = gram.compute_squared_distances(X, mean, scale)
    assert distances.dtype == np.float32 and norms.dtype == np.float64
    assert_same_distances(distances, reference_distances(X, X))
    standard = StandardScaler().fit_transform(X.astype(float))
    np.testing.assert_allclose(norms, (standard**2).sum(axis=1), rtol=1e-6)
    new = gram.compute_distances_to(rows, X, norms, mean, scale)
    assert new.dtype == np.float32
    assert_same_distances(new, reference_distances(X, rows))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(rows, before[1])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_no_distance_is_negative_and_that_to_an_equal_row_is_0(dtype):
    X = make_table(dtype)
    X[20:] = X[:20]
    mean, scale = compute_moments(X)
    distances, norms = gram.compute_squared_distances(X, mean, scale)
    assert (np.diag(distances) == 0).all()
    for values in (distances, gram.compute_distances_to(X, X, norms, mean, scale)):
        assert values.min() >= 0
        assert_same_distances(values[:20, 20:], distances[:20, :20])


def test_the_rbf_kernel_is_that_of_scikit_learn_and_in_place():
    X = StandardScaler().fit_transform(make_table("float64", d=30))
    distances = cdist(X, X, "sqeuclidean").astype(np.float32)
    kernel = gram.apply_rbf(distances, 1 / 30)
    assert kernel is distances and kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, rbf_kernel(X, gamma=1 / 30), atol=1e-6)


def test_kernel_values_of_distant_rows_are_no_denormal_numbers():
    kernel = gram.apply_rbf(np.linspace(0, 300, 301, dtype=np.float32), 1.0)
    assert kernel[0] == 1 and (kernel >= np.finfo(np.float32).tiny).all()
    np.testing.assert_allclose(kernel, np.exp(-np.arange(301.0)), atol=1e-7)
