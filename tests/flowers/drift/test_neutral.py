import numpy as np
import pytest

from flowers.drift.mix import class_means
from flowers.drift.neutral import PAIRS, Ranked, scores
from flowers.drift.ranks import codes_of
from tests.flowers.drift.test_martingale import answers, values


def photos(count, seed, n_classes=3):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, count)
    logs = rng.normal(size=(count, n_classes))
    logs[np.arange(count), truth] += 2
    odds = np.exp(logs)
    return odds / odds.sum(axis=1, keepdims=True), truth


def test_scores_are_confidence_and_log_probabilities_that_sum_to_nothing():
    found = scores(np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]))
    assert found[:, 0].tolist() == [0.7, 1.0]
    assert found[0, 1] - found[0, 2] == pytest.approx(np.log(0.7 / 0.2))
    assert found[:, 1:].sum(axis=1) == pytest.approx(0) and np.isfinite(found).all()


def test_what_is_averaged_is_nothing_for_the_held_out_photos_of_any_class():
    held, truth = photos(200, 0)
    scored, chosen = values(held, truth, held)
    assert class_means(held, truth, scored) == pytest.approx(0, abs=1e-8)
    assert class_means(held, truth, chosen) == pytest.approx(np.eye(3))


def test_neutral_scores_are_bet_on_or_plain_ones_where_no_other_mix_is_tolerated():
    held, truth = photos(200, 0)
    ranked = Ranked(held)
    scored, _ = ranked.values(np.arange(200), truth)
    assert (ranked.bets(scored, 0.05) == codes_of(scored[:, :4])).all()
    assert (ranked.bets(scored, 0) == codes_of(scores(held))).all()


def test_held_out_photos_may_be_any_of_the_answers_and_come_again():
    held, truth = photos(200, 0)
    late = photos(100, 1)[0]
    rows = np.random.default_rng(2).integers(0, 200, 150)
    found = Ranked(np.concatenate([held, late])).values(rows, truth[rows])
    for some, told in ((held, slice(200)), (late, slice(200, None))):
        expected = values(held[rows], truth[rows], some)
        for x, columns in zip(expected, found, strict=True):
            assert columns[told] == pytest.approx(x, abs=1e-8)


def test_another_mix_moves_votes_and_leaves_scores_where_they_were():
    held, truth = photos(2000, 1)
    late = np.random.default_rng(2).choice(3, 8000, p=[0.7, 0.2, 0.1])
    scored, chosen = values(held, truth, answers(late, np.random.default_rng(3)))
    assert chosen.mean(axis=0) == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert np.abs(scored.mean(axis=0) / scored.std(axis=0)).max() < 0.1


def test_doubt_between_other_classes_than_before_is_seen_though_no_rank_alone_moves():
    rng = np.random.default_rng(4)
    logs = rng.normal(size=(4000, 4))
    # Half of the photos are between two classes, with as much for the first as for the second.
    other = logs.copy()
    logs[:, 1], other[:, 1] = logs[:, 0], -other[:, 0]

    def shares(x):
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    truth = rng.integers(0, 4, 4000)
    (was, _), (is_now, _) = (values(shares(logs), truth, shares(x)) for x in (logs, other))
    moved = np.abs(is_now.mean(axis=0) - was.mean(axis=0)) / was.std(axis=0)
    assert moved[5:].max() > 2 * moved[1:5].max() and moved[5:].max() > 0.5


def test_of_many_classes_the_pairs_that_are_mixed_up_most_are_looked_at():
    held, truth = photos(400, 5, 5)
    rng = np.random.default_rng(6)
    # Seven more classes that no answer is for.
    rest = rng.dirichlet(np.ones(7), 400)
    held, other = (
        np.concatenate([0.97 * held, 0.03 * x], axis=1) for x in (rest, np.roll(rest, 1, axis=1))
    )
    scored, chosen = values(held, truth, held)
    assert scored.shape == (400, 13 + PAIRS) and chosen.shape == (400, 12)
    moved = np.abs(values(held, truth, other)[0] - scored).max(axis=0)
    assert moved[6:13].min() > 0.5 and moved[13:].max() < 0.05
