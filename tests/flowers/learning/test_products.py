"""Demands on products of rows: half the work, the same bits however the tiles are dealt out."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from flowers.base.parallel import use_workers
from flowers.learning import gram as module
from flowers.learning.gram import (
    ROUND,
    SIDE,
    TILE,
    compute_cross_gram,
    compute_gram,
    group_tiles,
    make_tiles,
)
from flowers.learning.standardisation import compute_moments


def table(n, d=70, seed=0):
    return np.random.default_rng(seed).random((n, d)).astype(np.float32)


@pytest.mark.parametrize("n", [1, 31, TILE, TILE + 1, 2 * TILE + 1, 3499, 4000, 20 * TILE])
@pytest.mark.parametrize("count", [1, 4, 100])
def test_strips_are_whole_tiles_that_cover_every_row_once(n, count):
    some = make_tiles(n)
    assert [t for strip in group_tiles(n, count) for t in strip] == some
    assert [i for t in some for i in range(n)[t]] == list(range(n))
    sizes = [t.stop - t.start for t in some]
    assert max(sizes) <= TILE and len(set(sizes[:-1])) <= 1
    assert len(some) == 1 or (len(some) % 2 == 0 and sizes[0] % ROUND == 0)
    assert max(map(len, group_tiles(n, count))) <= SIDE
    assert len(group_tiles(n, count)) >= min(count, len(some))


@pytest.mark.parametrize("n", [40, 3 * TILE])
def test_products_are_those_of_numpy(n):
    X, new = table(n), table(TILE + 9, seed=1)
    mean, scale = compute_moments(X)
    scaler = StandardScaler().fit(X.astype(float))
    known, asked = scaler.transform(X.astype(float)), scaler.transform(new.astype(float))
    product, norms = compute_gram(X, mean, scale)
    np.testing.assert_allclose(product, known @ known.T, rtol=0, atol=1e-3)
    np.testing.assert_allclose(norms, (known**2).sum(axis=1), rtol=1e-5)
    product, norms = compute_cross_gram(new, X, mean, scale)
    np.testing.assert_allclose(product, asked @ known.T, rtol=0, atol=1e-3)
    np.testing.assert_allclose(norms, (asked**2).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_bits_do_not_depend_on_how_tiles_are_put_together(count, monkeypatch):
    X, new = table(5 * TILE + 7), table(TILE + 9, seed=1)
    mean, scale = compute_moments(X)
    with use_workers(count, "threading"):
        found = [*compute_gram(X, mean, scale), *compute_cross_gram(new, X, mean, scale)]
    monkeypatch.setattr(module, "SIDE", 1)
    expected = [*compute_gram(X, mean, scale), *compute_cross_gram(new, X, mean, scale)]
    assert [f.tobytes() for f in found] == [e.tobytes() for e in expected]


def test_a_symmetric_product_is_symmetric_bit_by_bit_and_takes_half_of_the_tiles(monkeypatch):
    X, counted, matmul = table(4 * TILE), [], np.matmul

    def counting(*factors, **params):
        counted.append(factors)
        return matmul(*factors, **params)

    monkeypatch.setattr(module.np, "matmul", counting)
    product, _ = compute_gram(X, *compute_moments(X))
    assert product.tobytes() == product.T.copy().tobytes()
    assert len(counted) == 4 * 5 / 2
