import numpy as np
import pytest

from flowers.drift.history import LEAST, STEP, History
from flowers.drift.means import LENGTHS, RUNS, Means, values
from flowers.drift.windows import Held
from tests.flowers.drift.test_martingale import answers

KNOBS = {"window": 500, "mix_tolerance": 0.075}


def held_out(rng, count=400):
    truth = rng.integers(0, 3, count)
    return Held(answers(truth, rng), truth, np.zeros((count, 8)))


def means_of(held, probabilities, day):
    given = (values(held, p) for p in (held.probabilities, probabilities))
    return Means.of(held.truth, *given, day, KNOBS)


def watched(held, truth, rng, per_day=500, **how):
    """Tests of a stream of photos of these classes."""
    return means_of(held, answers(truth, rng, **how), np.arange(len(truth)) // per_day)


def test_without_a_change_p_values_are_as_small_as_they_should_be_or_larger():
    rng, found = np.random.default_rng(0), []
    for _ in range(60):
        held = held_out(rng)
        means = watched(held, rng.integers(0, 3, 4000), rng)
        found += [(means.scores[-1], means.answers[-1])]
    scores, both = np.swapaxes(found, 0, 1)
    for p in (scores, both):
        assert 0.003 < (p <= 0.1).mean() < 0.13 and (p <= 1e-4).mean() < 0.01


@pytest.mark.parametrize("begins", [500, 730])
def test_other_answers_to_the_same_flowers_are_seen_in_the_scores(begins):
    rng = np.random.default_rng(1)
    held, truth = held_out(rng), rng.integers(0, 3, begins + 500)
    late = np.concatenate(
        [answers(truth[:begins], rng), answers(truth[begins:], rng, strength=0.8)]
    )
    means = means_of(held, late, np.arange(len(late)) // 500)
    since, end = means.first_low("scores", 1e-5)
    assert begins < end <= begins + 400 and abs(since - begins) <= 200


def test_a_class_that_stays_away_is_a_run_and_one_that_swings_with_the_days_is_none():
    rng = np.random.default_rng(2)
    held, without = held_out(rng), rng.integers(1, 3, 2000)
    gone = watched(held, np.concatenate([rng.integers(0, 3, 500), without]), rng)
    assert gone.first_run()[1] <= 2500 and gone.first_run()[0] >= 300
    swings = [rng.choice(3, 500, p=p) for p in ([0.4, 0.3, 0.3], [0.27, 0.36, 0.37]) * 10]
    means = watched(held, np.concatenate(swings), rng)
    assert means.first_run() is None and means.answers.min() > 1e-4


def test_bursts_are_not_many_photos():
    rng, rang = np.random.default_rng(3), {1: 0, 10: 0}
    for burst in rang:
        for _ in range(20):
            truth = np.repeat(rng.integers(0, 3, 4000 // burst), burst)
            means = watched(held_out(rng), truth, rng)
            rang[burst] += means.answers.min() <= 2e-5 or means.first_run() is not None
    assert rang[1] <= 1 and rang[10] <= 2


def test_what_was_tested_once_stays_when_more_photos_come():
    rng = np.random.default_rng(4)
    held, truth = held_out(rng), rng.integers(0, 3, 3230)
    probabilities, day = answers(truth, rng), np.arange(3230) // 410
    whole = means_of(held, probabilities, day)
    for count in (0, 49, 99, 100, 820, 1337, 2460):
        early = means_of(held, probabilities[:count], day[:count])
        for name in ("ends", "scores", "answers", "off"):
            seen = getattr(early, name)
            assert (seen == getattr(whole, name)[: len(seen)]).all()
        assert len(early.ends) == count // STEP


def test_the_mean_of_a_stream_and_its_spread_follow_from_its_photos():
    rng = np.random.default_rng(5)
    known, stream = rng.normal(size=(90, 3)), rng.normal(size=(1030, 3))
    past = History(known, stream, np.zeros(1030, int), 0.0, 2)
    apart, spread = past.compared(200)
    end = 700
    at = (past.ends[past.ends >= 200] == end).argmax()
    before = np.concatenate([known, stream[:500]])
    expected = stream[500:end].mean(axis=0) - before.mean(axis=0)
    assert apart[at] == pytest.approx(expected)
    cov = np.cov(before.T, bias=True)
    assert len(before) - 90 == LEAST
    least = cov / len(before) + cov / 200
    assert (np.diag(spread[at]) >= np.diag(least) * (1 - 1e-9)).all()
    assert np.diag(spread[at]) == pytest.approx(np.diag(least), rel=0.6)


def test_a_change_does_not_excuse_itself():
    rng = np.random.default_rng(5)
    known, stream = rng.normal(size=(90, 3)), rng.normal(size=(1000, 3))
    late = np.concatenate([stream[:800], 9 * stream[800:]])
    spreads = [History(known, x, np.zeros(1000, int), 0.0, 2) for x in (stream, late)]
    quiet, wild = (past.compared(200)[1][-1] for past in spreads)
    assert wild == pytest.approx(quiet)


def test_a_long_day_says_less_of_the_usual_mix_than_several():
    rng = np.random.default_rng(6)
    known, stream = rng.normal(size=(100, 2)), rng.normal(size=(2000, 2)) + 1
    moved = []
    for days in (np.repeat(np.arange(5), 400), np.zeros(2000, int)):
        past = History(known, stream, days, 0.1, 2)
        moved.append(past.usual(np.array([40]))[0].mean() / (stream - known.mean(axis=0)).mean())
    every, one = moved
    assert 0.1 < one < 0.8 * every and every < 2000 / 2100


def test_a_class_without_held_out_photos_and_lengths_of_every_kind_are_no_obstacle():
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 60)
    held = Held(answers(truth, rng), truth, np.zeros((60, 8)))
    means = watched(held, rng.integers(0, 2, 3100), rng)
    assert np.isfinite(means.scores).all() and means.off.shape[1] == len(RUNS)
    assert all(length % STEP == 0 for length in LENGTHS)
