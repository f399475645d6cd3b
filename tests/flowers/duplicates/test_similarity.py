"""Demands on the search for rows that correlate: the same pairs as from all products."""

import numpy as np
import pytest

from flowers.duplicates import similarity
from flowers.duplicates.similarity import CorrelationIndex, normalise_rows


def mirrored(rows):
    return rows[:, ::-1]


def some_rows(n, d, directions, seed):
    """Rows that lie mostly in a few directions, of which every fifth is nearly one before."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, directions)) @ rng.normal(size=(directions, d))
    rows += 0.1 * rng.normal(size=(n, d))
    copies = np.arange(5, n, 5)
    noise = rng.uniform(0.05, 0.6, (len(copies), 1)) * rng.normal(size=(len(copies), d))
    rows[copies] = rows[copies - 3] + noise * rows.std()
    rows[copies[::2]] = mirrored(rows[copies[::2]])
    return normalise_rows(rows.astype(np.float32))


def by_all_products(rows, others, threshold):
    rows, others = rows.astype(float), others.astype(float)
    correlation = np.maximum(rows @ others.T, mirrored(rows) @ others.T)
    i, j = np.nonzero(correlation > threshold)
    return {(a, b): correlation[a, b] for a, b in zip(i.tolist(), j.tolist(), strict=True)}


def told(found):
    return {(a, b): c for a, b, c in zip(*(part.tolist() for part in found), strict=True)}


@pytest.mark.parametrize("directions", [2, 8, 40, 200])
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.97])
def test_the_pairs_are_those_of_all_products(directions, threshold):
    rows = some_rows(700, 60, directions, seed=directions)
    found = told(CorrelationIndex(rows, mirrored).query(rows, threshold))
    expected = by_all_products(rows, rows, threshold)
    assert found == pytest.approx(expected, abs=1e-6) and len(found) > len(rows)


def test_rows_like_none_of_the_known_ones_are_compared_all_the_same():
    known, asked = some_rows(400, 60, 3, seed=1), some_rows(90, 60, 40, seed=2)
    known[[7, 300]] = asked[[3, 54]]
    known[300] = mirrored(known[300:301])[0]
    found = told(CorrelationIndex(known, mirrored).query(asked, 0.97))
    assert found == pytest.approx({(3, 7): 1.0, (54, 300): 1.0}, abs=1e-6)


def test_a_tile_full_of_twins_is_no_other_than_a_few(monkeypatch):
    rows = some_rows(300, 60, 8, seed=0)
    rows[100:] = rows[0]
    few = told(CorrelationIndex(rows, mirrored).query(rows, 0.9))
    monkeypatch.setattr(similarity, "MOST", 0)
    assert told(CorrelationIndex(rows, mirrored).query(rows, 0.9)) == pytest.approx(few, abs=1e-6)
    monkeypatch.setattr(similarity, "MOST", 1)
    assert told(CorrelationIndex(rows, mirrored).query(rows, 0.9)) == pytest.approx(few, abs=1e-6)
    assert len(few) > 200 * 200


def test_only_known_rows_from_a_place_on_are_looked_at(monkeypatch):
    monkeypatch.setattr(similarity, "COLUMNS", 64)
    rows = some_rows(200, 60, 8, seed=0)
    known = CorrelationIndex(rows, mirrored)
    every = told(known.query(rows, 0.5))
    later = told(known.query(rows, 0.5, start=100))
    assert later.keys() == {pair for pair in every if pair[1] >= 100}


@pytest.mark.parametrize("rows", [np.zeros((5, 60), np.float32), np.empty((0, 60), np.float32)])
def test_rows_without_a_length_are_like_none(rows):
    i, j, correlation = CorrelationIndex(rows, mirrored).query(rows, 0.1)
    assert len(i) == len(j) == len(correlation) == 0
