import numpy as np
import pytest

from flowers.drift import martingale
from flowers.drift.label_shift import compute_scores
from flowers.drift.martingale import (
    BLOCK,
    DESIGN_EFFECT,
    JUMP,
    compute_log_wealth,
    compute_p_values,
    encode_ranks,
    run_martingale,
    shuffle_blocks,
)
from tests.flowers.drift.synthetic import adjust_scores, draw_predictions


@pytest.mark.parametrize("side", [1, 32, 255])
def test_a_p_value_is_the_rank_among_all_before_with_given_ties(side, monkeypatch):
    monkeypatch.setattr(martingale, "COUNT_BLOCK", side)
    rng = np.random.default_rng(0)
    values = rng.random(450).round(2)
    ties = rng.random(400)
    p_values = compute_p_values(encode_ranks(values[:, None])[:, 0], 50, ties)
    for t in (0, 1, 15, 16, 17, 200, 399):
        before = values[: 50 + t]
        new = values[50 + t]
        rank = (before < new).sum() + ties[t] * ((before == new).sum() + 1)
        assert p_values[t] == pytest.approx(rank / (51 + t))


def test_only_full_blocks_are_shuffled_independently_of_the_order_of_the_ties():
    ties = np.random.default_rng(2).random(200 * BLOCK + 7)
    order = shuffle_blocks(ties)
    for start in range(0, 3 * BLOCK, BLOCK):
        block = order[start : start + BLOCK]
        assert sorted(block) == list(range(start, start + BLOCK)) and (np.diff(block) < 0).any()
    assert order[200 * BLOCK :].tolist() == list(range(200 * BLOCK, 200 * BLOCK + 7))
    assert (shuffle_blocks(ties[: 2 * BLOCK]) == order[: 2 * BLOCK]).all()
    shuffled = ties[order[: 200 * BLOCK]].reshape(200, BLOCK)
    assert shuffled.mean(axis=0) == pytest.approx(np.full(BLOCK, 0.5), abs=0.1)


def run_one(reference, stream, ties):
    """Log wealth over one stream of unadjusted scores."""
    codes = encode_ranks(np.concatenate([reference, stream]))
    return run_martingale(codes[None, : len(reference)], codes[None, len(reference) :], ties)


def test_wealth_does_not_grow_on_average_and_rarely_reaches_100():
    log_wealth = compute_log_wealth(np.random.default_rng(2).random((3000, 400, 2)))
    assert 0.8 < np.exp(log_wealth[20]).mean() < 1
    assert (log_wealth.max(axis=0) >= np.log(100)).mean() <= 0.015


def test_wealth_follows_the_bets_step_by_step():
    # Two predictions, one score: each strategy starts with a third on down, rest and up.
    wealth = np.exp(compute_log_wealth(np.array([[0.9], [0.8]])))
    pays = np.exp((1 - DESIGN_EFFECT) / 24)
    down, rest, up = np.array([0.6 * pays, 1, 1.4 * pays]) / 3
    assert wealth[0] == pytest.approx(down + rest + up, rel=1e-5)
    dealt = JUMP * (down + rest + up) / 3
    simple = [(1 - JUMP) * stake + dealt for stake in (down, rest, up)]
    moved = 0.5e-4 * rest
    patient = [(1 - JUMP) * down + moved, (1 - 1e-4) * rest + JUMP * (down + up)]
    patient.append((1 - JUMP) * up + moved)
    after = np.add(simple, patient) @ [0.7 * pays, 1, 1.3 * pays] / 2
    # The first step redistributes equal stakes, except for the reserve.
    assert wealth[1] == pytest.approx(after, rel=2e-3)


def test_a_change_after_20000_predictions_is_detected_as_soon_as_an_early_one():
    rng = np.random.default_rng(3)
    late = np.concatenate([rng.random((20_000, 20, 1)), rng.beta(2, 1, (600, 20, 1))])
    detected = (compute_log_wealth(late)[20_000:] >= np.log(100)).any(axis=0)
    assert detected.mean() >= 0.95


@pytest.mark.parametrize(("burst", "strength"), [(5, 2.0), (1, 0.3)])
def test_adjusted_scores_detect_other_predictions_and_no_bursts_of_a_class(burst, strength):
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 600)
    late = np.repeat(rng.integers(0, 3, 800), burst)
    reference = draw_predictions(truth, rng)
    stream = draw_predictions(late, rng, strength)
    ties = rng.random((1, len(late)))
    adjusted = [adjust_scores(reference, truth, x)[0][:, :4] for x in (reference, stream)]
    assert (run_one(*adjusted, ties).max() > np.log(100)) == (burst == 1)
    # Without the adjustment bursts raise a false alarm.
    assert run_one(compute_scores(reference), compute_scores(stream), ties).max() > np.log(1000)


def test_later_predictions_change_no_earlier_wealth_and_an_open_block_is_not_bet_on():
    rng = np.random.default_rng(8)
    n = 4 * BLOCK + 30
    reference = rng.normal(size=(90, 2))
    stream = rng.normal(size=(n, 2))
    ties = rng.random((1, n))
    count = 2 * BLOCK + 30
    whole = run_one(reference, stream, ties)
    early = run_one(reference, stream[:count], ties[:, :count])
    assert early[0] == pytest.approx(whole[0, :count])
    assert whole.shape == (1, n) and (whole[0, : BLOCK - 1] == 0).all()
    assert len(np.unique(whole[0, BLOCK - 1 :])) == 4  # after each full block
    assert (run_one(reference, stream[:20], ties[:, :20]) == 0).all()
