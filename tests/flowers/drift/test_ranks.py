import numpy as np
import pytest

from flowers.drift import ranks
from flowers.drift.ranks import BLOCK, codes_of, order, p_values


@pytest.mark.parametrize("side", [1, 32, 255])
def test_a_p_value_is_the_rank_among_all_before_ties_broken_as_told(side, monkeypatch):
    monkeypatch.setattr(ranks, "SIDE", side)
    rng = np.random.default_rng(0)
    values, ties = rng.random(450).round(2), rng.random(400)
    found = p_values(codes_of(values[:, None])[:, 0], 50, ties)
    for t in (0, 1, 15, 16, 17, 200, 399):
        before, new = values[: 50 + t], values[50 + t]
        rank = (before < new).sum() + ties[t] * ((before == new).sum() + 1)
        assert found[t] == pytest.approx(rank / (51 + t))


def test_tens_of_thousands_of_different_values_are_ranked_all_the_same():
    rising, ties = np.arange(40_000), np.full(39_950, 0.5)
    before = np.arange(50, 40_000)
    assert p_values(rising, 50, ties) == pytest.approx((before + 0.5) / (before + 1), rel=1e-12)


def test_p_values_are_uniform_however_many_answers_are_equal():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 3, (200, 150))
    found = [
        p_values(line, 50, ties) for line, ties in zip(values, rng.random((200, 100)), strict=True)
    ]
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


def test_codes_keep_the_order_and_what_is_equal():
    found = codes_of(np.array([[0.5, 2.0], [0.1, 2.0], [0.5, -1.0]]))
    assert found.tolist() == [[1, 1], [0, 1], [1, 0]]


def test_photos_change_places_within_their_block_alone_and_an_open_block_stays():
    ties = np.random.default_rng(2).random(3 * BLOCK + 7)
    found = order(ties)
    for start in range(0, 3 * BLOCK, BLOCK):
        block = found[start : start + BLOCK]
        assert sorted(block) == list(range(start, start + BLOCK)) and (np.diff(block) < 0).any()
    assert found[3 * BLOCK :].tolist() == list(range(3 * BLOCK, 3 * BLOCK + 7))
    assert (order(ties[: 2 * BLOCK]) == found[: 2 * BLOCK]).all()


def test_the_order_says_nothing_of_how_ties_are_broken():
    ties = np.random.default_rng(3).random(200 * BLOCK)
    broken = ties[order(ties)].reshape(200, BLOCK)
    assert broken.mean(axis=0) == pytest.approx(np.full(BLOCK, 0.5), abs=0.1)
