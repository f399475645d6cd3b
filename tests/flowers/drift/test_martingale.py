import numpy as np
import pytest

from flowers.drift.martingale import DESIGN_EFFECT, JUMP, bet_on, log_capital
from flowers.drift.neutral import Ranked, scores
from flowers.drift.ranks import BLOCK, codes_of, p_values


def answers(truth, rng, strength=2.0):
    """Answers that are right more often than not, in three classes."""
    logs = rng.normal(size=(len(truth), 3))
    logs[np.arange(len(truth)), truth] += strength
    odds = np.exp(logs)
    return odds / odds.sum(axis=1, keepdims=True)


def values(held, truth, given):
    """Scores and votes of answers beside held-out ones."""
    found = Ranked(np.concatenate([held, given])).values(np.arange(len(held)), truth)
    return tuple(columns[len(held) :] for columns in found)


def neutral(held, truth, given):
    """Of the scores those that are bet on."""
    return values(held, truth, given)[0][:, : 1 + held.shape[1]]


def bets(known, given, ties):
    """Capital over one stream, of scores as they are."""
    codes = codes_of(np.concatenate([known, given]))
    return bet_on(codes[None, : len(known)], codes[None, len(known) :], ties)


def test_a_capital_is_no_more_than_a_fair_game_and_seldom_reaches_100():
    capital = log_capital(np.random.default_rng(2).random((3000, 1000, 2)))
    assert 0.8 < np.exp(capital[20]).mean() < 1
    assert (capital.max(axis=0) >= np.log(100)).mean() <= 0.015


def test_without_the_price_of_bursts_the_game_is_fair(monkeypatch):
    monkeypatch.setattr("flowers.drift.martingale.DESIGN_EFFECT", 1)
    capital = log_capital(np.random.default_rng(2).random((100, 4000, 2)))
    assert np.exp(capital[50]).mean() == pytest.approx(1, abs=0.05)


def test_capital_follows_the_bets_step_by_step():
    # Two photos, one score: each player starts with a third down, at rest and up.
    capital = np.exp(log_capital(np.array([[0.9], [0.8]])))
    pays = np.exp((1 - DESIGN_EFFECT) / 24)
    down, rest, up = np.array([0.6 * pays, 1, 1.4 * pays]) / 3
    assert capital[0] == pytest.approx(down + rest + up, rel=1e-5)
    dealt = JUMP * (down + rest + up) / 3
    simple = [(1 - JUMP) * stake + dealt for stake in (down, rest, up)]
    moved = 0.5e-4 * rest
    patient = [(1 - JUMP) * down + moved, (1 - 1e-4) * rest + JUMP * (down + up)]
    patient.append((1 - JUMP) * up + moved)
    after = np.add(simple, patient) @ [0.7 * pays, 1, 1.3 * pays] / 2
    # The first step deals out anew what is even already, but for the reserve.
    assert capital[1] == pytest.approx(after, rel=2e-3)


def test_looking_seldom_finds_the_same_capital():
    p = np.random.default_rng(7).random((170, 3, 2))
    assert log_capital(p, 50) == pytest.approx(log_capital(p)[49::50], abs=1e-9)


def test_a_change_after_a_long_quiet_time_is_noticed_as_soon_as_one_at_once():
    rng = np.random.default_rng(3)
    late = np.concatenate([rng.random((20_000, 20, 1)), rng.beta(2, 1, (600, 20, 1))])
    rang = (log_capital(late)[20_000:] >= np.log(100)).any(axis=0)
    assert rang.mean() >= 0.95


def test_bursts_of_a_class_leave_neutral_scores_where_they_were_and_move_the_plain_ones():
    rng = np.random.default_rng(4)
    truth, stream = rng.integers(0, 3, 600), np.repeat(rng.integers(0, 3, 800), 5)
    held, arriving = answers(truth, rng), answers(stream, rng)
    ties = rng.random((1, len(stream)))

    def highest(known, given):
        return bets(known, given, ties).max()

    assert highest(scores(held), scores(arriving)) > np.log(1000)
    assert highest(neutral(held, truth, held), neutral(held, truth, arriving)) < np.log(100)


def test_neutral_scores_see_that_the_answers_about_the_same_flowers_change():
    rng = np.random.default_rng(5)
    truth, stream = rng.integers(0, 3, 600), rng.integers(0, 3, 600)
    held, arriving = answers(truth, rng), answers(stream, rng, strength=0.3)
    known, given = neutral(held, truth, held), neutral(held, truth, arriving)
    assert bets(known, given, rng.random((1, 600))).max() > np.log(100)


def test_what_was_bet_once_stays_and_an_open_block_is_not_bet_on():
    rng, n = np.random.default_rng(8), 4 * BLOCK + 30
    known, given, ties = rng.normal(size=(90, 2)), rng.normal(size=(n, 2)), rng.random((1, n))
    some = 2 * BLOCK + 30
    whole, early = bets(known, given, ties), bets(known, given[:some], ties[:, :some])
    assert early[0] == pytest.approx(whole[0, :some])
    assert whole.shape == (1, n) and (whole[0, : BLOCK - 1] == 0).all()
    assert len(np.unique(whole[0, BLOCK - 1 :])) == 4  # after each full block
    assert (bets(known, given[:20], ties[:, :20]) == 0).all()


def test_neither_the_order_within_a_block_nor_bursts_shorter_than_it_matter():
    rng = np.random.default_rng(9)
    known, given = rng.normal(size=(300, 1)), rng.normal(size=(4000, 1))
    rows = given.reshape(-1, BLOCK, 1)
    sorted_in_blocks = np.sort(rows, axis=1).reshape(given.shape)
    ties = rng.random((1, 4000))
    assert bets(known, sorted_in_blocks, ties).max() < np.log(100)
    codes = codes_of(np.concatenate([known, sorted_in_blocks]))[:, 0]
    p = p_values(codes, 300, ties[0])
    assert log_capital(p[:, None]).max() > np.log(1e4)


def test_a_class_without_held_out_photos_is_no_obstacle():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 50)
    held = answers(truth, rng)
    assert np.isfinite(neutral(held, truth, held)).all()
