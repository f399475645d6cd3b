import numpy as np
import pytest

from flowers.drift.martingale import bet_on, log_capital, neutral, p_values, scores


def answers(truth, rng, strength=2.0):
    """Answers that are right more often than not, in three classes."""
    logs = rng.normal(size=(len(truth), 3))
    logs[np.arange(len(truth)), truth] += strength
    odds = np.exp(logs)
    return odds / odds.sum(axis=1, keepdims=True)


def test_a_p_value_is_the_rank_among_all_before_ties_broken_as_told():
    rng = np.random.default_rng(0)
    values, ties = rng.random((3, 450)).round(2), rng.random((3, 400))
    found = p_values(values, 50, ties)
    for s in range(3):
        for t in (0, 1, 15, 16, 200, 399):
            before, new = values[s, : 50 + t], values[s, 50 + t]
            rank = (before < new).sum() + ties[s, t] * ((before == new).sum() + 1)
            assert found[s, t] == pytest.approx(rank / (51 + t))


def test_p_values_are_uniform_however_many_answers_are_equal():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 3, (200, 150)).astype(float)
    found = p_values(values, 50, rng.random((200, 100)))
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.01)


def test_a_capital_is_a_fair_game_and_seldom_reaches_100():
    capital = log_capital(np.random.default_rng(2).random((3000, 1000, 2)))
    assert np.exp(capital[20]).mean() == pytest.approx(1, abs=0.05)
    assert (capital.max(axis=0) >= np.log(100)).mean() <= 0.015


def test_capital_follows_the_bets_step_by_step():
    # Two photos, one score: each player starts with a third down, at rest and up.
    capital = np.exp(log_capital(np.array([[0.9], [0.8]])))
    assert capital[0] == pytest.approx(1)
    simple = (0.99 * np.array([0.6, 1, 1.4]) / 3 + 0.01 / 3) @ [0.7, 1, 1.3]
    down, rest, up = np.array([0.6, 1, 1.4]) / 3
    moved = 0.5e-4 * rest
    patient = (0.99 * down + moved) * 0.7 + (0.99 * up + moved) * 1.3
    patient += (1 - 1e-4) * rest + 0.01 * (down + up)
    # The first step deals out anew what is even already, but for the reserve.
    assert capital[1] == pytest.approx((simple + patient) / 2, rel=2e-3)


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
        return bet_on(known[None], given[None], ties).max()

    assert highest(scores(held), scores(arriving)) > np.log(1e6)
    assert highest(neutral(held, truth, held), neutral(held, truth, arriving)) < np.log(100)


def test_neutral_scores_see_that_the_answers_about_the_same_flowers_change():
    rng = np.random.default_rng(5)
    truth, stream = rng.integers(0, 3, 600), rng.integers(0, 3, 600)
    held, arriving = answers(truth, rng), answers(stream, rng, strength=0.3)
    known, given = neutral(held, truth, held), neutral(held, truth, arriving)
    assert bet_on(known[None], given[None], rng.random((1, 600))).max() > np.log(100)


def test_a_class_without_held_out_photos_is_no_obstacle():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 50)
    held = answers(truth, rng)
    assert np.isfinite(neutral(held, truth, held)).all()
