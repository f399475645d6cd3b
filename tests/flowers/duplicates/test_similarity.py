"""The search for rows that correlate: the same pairs as from all products."""

import numpy as np
import pytest

from flowers.duplicates import similarity
from flowers.duplicates.similarity import CorrelationIndex, normalise_rows


def mirror(rows):
    return rows[:, ::-1]


def make_rows(n, d, directions, seed):
    """Rows that lie mostly in a few directions; every fifth nearly repeats an earlier one."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, directions)) @ rng.normal(size=(directions, d))
    rows += 0.1 * rng.normal(size=(n, d))
    copies = np.arange(5, n, 5)
    noise = rng.uniform(0.05, 0.6, (len(copies), 1)) * rng.normal(size=(len(copies), d))
    rows[copies] = rows[copies - 3] + noise * rows.std()
    rows[copies[::2]] = mirror(rows[copies[::2]])
    return normalise_rows(rows.astype(np.float32))


def compare_all(rows, others, threshold):
    rows, others = rows.astype(float), others.astype(float)
    correlation = np.maximum(rows @ others.T, mirror(rows) @ others.T)
    i, j = np.nonzero(correlation > threshold)
    return {(a, b): correlation[a, b] for a, b in zip(i.tolist(), j.tolist(), strict=True)}


def to_dict(matches):
    return {(a, b): c for a, b, c in zip(*(part.tolist() for part in matches), strict=True)}


@pytest.mark.parametrize("directions", [2, 8, 40, 200])
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.97])
def test_the_pairs_are_those_of_all_products(directions, threshold):
    rows = make_rows(300, 60, directions, seed=directions)
    matches = to_dict(CorrelationIndex(rows, mirror).query(rows, threshold))
    expected = compare_all(rows, rows, threshold)
    assert matches == pytest.approx(expected, abs=1e-6) and len(matches) > len(rows)


def test_rows_in_other_directions_than_the_indexed_rows_are_compared():
    indexed, queried = make_rows(400, 60, 3, seed=1), make_rows(90, 60, 40, seed=2)
    indexed[[7, 300]] = queried[[3, 54]]
    indexed[300] = mirror(indexed[300:301])[0]
    matches = to_dict(CorrelationIndex(indexed, mirror).query(queried, 0.97))
    assert matches == pytest.approx({(3, 7): 1.0, (54, 300): 1.0}, abs=1e-6)


def test_tiles_with_many_and_with_few_pairs_give_the_same_result(monkeypatch):
    rows = make_rows(300, 60, 8, seed=0)
    rows[100:] = rows[0]
    few = to_dict(CorrelationIndex(rows, mirror).query(rows, 0.9))
    monkeypatch.setattr(similarity, "MAX_CANDIDATE_SHARE", 0)
    assert to_dict(CorrelationIndex(rows, mirror).query(rows, 0.9)) == pytest.approx(few, abs=1e-6)
    monkeypatch.setattr(similarity, "MAX_CANDIDATE_SHARE", 1)
    assert to_dict(CorrelationIndex(rows, mirror).query(rows, 0.9)) == pytest.approx(few, abs=1e-6)
    assert len(few) > 200 * 200


@pytest.mark.parametrize("rows", [np.zeros((5, 60), np.float32), np.empty((0, 60), np.float32)])
def test_rows_of_length_0_match_nothing(rows):
    i, j, correlation = CorrelationIndex(rows, mirror).query(rows, 0.1)
    assert len(i) == len(j) == len(correlation) == 0
