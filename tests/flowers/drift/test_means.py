import numpy as np
import pytest

from flowers.drift.days import Days
from flowers.drift.history import LEAST, STEP, History
from flowers.drift.means import LENGTHS, RUNS, Means
from flowers.drift.windows import Held
from tests.flowers.drift.test_martingale import answers, values

KNOBS = {"window": 500, "proportion_tolerance": 0.075}


def held_out(rng, count=400):
    truth = rng.integers(0, 3, count)
    return Held(answers(truth, rng), truth, np.zeros((count, 8)))


def means_of(held, probabilities, day):
    given = (values(held.probabilities, held.truth, p) for p in (held.probabilities, probabilities))
    return Means.of(held.truth, *given, day, KNOBS)


def watched(held, truth, rng, per_day=500, **how):
    """Tests of a stream of photos of these classes."""
    return means_of(held, answers(truth, rng, **how), np.arange(len(truth)) // per_day)


def test_without_a_change_p_values_are_as_small_as_they_should_be_or_larger():
    rng, found = np.random.default_rng(0), []
    for _ in range(60):
        held = held_out(rng)
        means = watched(held, rng.integers(0, 3, 4000), rng)
        found += [(means.scores[-1], means.mix[-1])]
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
    swings = [rng.choice(3, 500, p=p) for p in ([0.46, 0.27, 0.27], [0.22, 0.39, 0.39]) * 10]
    means = watched(held, np.concatenate(swings), rng)
    assert means.first_run() is None and means.mix.min() > 1e-4


def test_bursts_are_not_many_photos():
    rng, rang = np.random.default_rng(3), {1: 0, 10: 0}
    for burst in rang:
        for _ in range(20):
            truth = np.repeat(rng.integers(0, 3, 4000 // burst), burst)
            means = watched(held_out(rng), truth, rng)
            rang[burst] += means.mix.min() <= 2e-5 or means.first_run() is not None
    assert rang[1] <= 1 and rang[10] <= 2


def test_the_votes_of_a_few_bursts_are_no_test():
    rng = np.random.default_rng(12)
    bursts = np.repeat(rng.integers(0, 3, 300), 10)
    alone, together = (
        watched(held_out(rng), truth, rng).mix for truth in (rng.permutation(bursts), bursts)
    )
    few, many = LENGTHS.index(250), LENGTHS.index(2000)
    assert (together[:, few] == 1).all() and (together[39:, many] < 1).all()
    assert (alone[4:, few] < 1).all()


def test_what_was_tested_once_stays_when_more_photos_come():
    rng = np.random.default_rng(4)
    held, truth = held_out(rng), rng.integers(0, 3, 3230)
    probabilities, day = answers(truth, rng), np.arange(3230) // 410
    whole = means_of(held, probabilities, day)
    for count in (0, 49, 99, 100, 820, 1337, 2460):
        early = means_of(held, probabilities[:count], day[:count])
        for name in ("ends", "scores", "mix", "off"):
            seen = getattr(early, name)
            assert (seen == getattr(whole, name)[: len(seen)]).all()
        assert len(early.ends) == count // STEP


def test_the_sums_of_a_stream_and_its_spread_follow_from_its_photos():
    rng = np.random.default_rng(5)
    known, stream = (rng.normal(4, [1, 3, 0.2], (count, 3)) for count in (90, 2130))
    past = History(known, stream)
    assert past.ends[-1] == 2100 and past.ends[past.marks[-1]] == 2000
    newest, before = past.newest(200)
    at = (past.ends[past.ends >= 200] == 700).argmax()
    assert newest[at] == pytest.approx((stream[500:700] - known.mean(axis=0)).sum(axis=0))
    assert before[at] == pytest.approx((stream[:500] - known.mean(axis=0)).sum(axis=0))
    for mark, spread in zip(past.marks, past.spread, strict=True):
        so_far = np.concatenate([known, stream[: past.ends[mark]]])
        assert spread == pytest.approx(np.cov(so_far.T, bias=True))
    axes = past.axes()[-1]
    assert axes.T @ past.spread[-1] @ axes == pytest.approx(np.eye(3), abs=0.02)


def test_a_change_does_not_excuse_itself():
    rng = np.random.default_rng(5)
    known, stream = rng.normal(size=(90, 3)), rng.normal(size=(1000, 3))
    late = np.concatenate([stream[:800], np.repeat(9 * stream[800:900], 2, axis=0)])
    for length, same in ((200, True), (100, False)):
        (quiet, mark), (wild, other) = (History(known, x).before(length) for x in (stream, late))
        assert (quiet[-1] == wild[-1]) == same and mark[-1] == other[-1]
        assert History(known, late).marks[mark[-1]] == LEAST // STEP - 1


def test_until_there_is_a_past_the_first_photos_are_the_past():
    stream = np.random.default_rng(8).normal(size=(900, 2))
    past = History(stream[:90], stream)
    bursts, mark = past.before(300)
    assert (
        past.marks[mark[:5]].tolist() == [5, 6, 7, 8, 9] and (bursts[:5] == past.bursts[5:10]).all()
    )
    assert (past.marks[mark[5:]] == LEAST // STEP - 1).all()


def test_a_long_day_says_less_of_the_usual_mix_than_several():
    rng = np.random.default_rng(6)
    votes = History(rng.normal(size=(100, 2)), rng.normal(size=(2000, 2)) + 1)
    days = [Days(votes, day, 0.1) for day in (np.arange(2000) // 400, np.zeros(2000, int))]
    every, one = (day.mean[40].mean() / votes.stream.mean() for day in days)
    assert 0.1 < one < 0.8 * every and every < 2000 / 2100
    plain = Days(votes, np.arange(2000) // 400, 0.0)
    assert plain.mean[40] == pytest.approx(votes.stream.sum(axis=0) / 2100)
    assert plain.of_photo[40] == pytest.approx(1 / 2100)


def test_the_noise_of_the_usual_mix_is_what_it_is_over_many_streams():
    rng, swing, found = np.random.default_rng(9), 0.1, []
    day = np.arange(1450) // 400
    for _ in range(400):
        stream = rng.normal(size=(1450, 2)) + swing * rng.normal(size=(4, 2))[day]
        known = rng.normal(size=(20, 2))
        known *= 1 / known.std(axis=0)  # the days count as much each time
        days = Days(History(known, stream), day, swing)
        found.append(days.mean[-1] + known.mean(axis=0))
    told = days.of_photo[-1] + swing**2 * days.of_day[-1]
    assert np.var(found) == pytest.approx(told, rel=0.15)
    assert 0.2 < days.of_photo[-1] / told < 0.8


def test_the_newest_photos_are_shared_out_over_their_days():
    votes = History(np.random.default_rng(0).normal(size=(50, 2)), np.zeros((800, 2)))
    days = Days(votes, np.repeat([3, 4, 9], [420, 130, 250]), 0.1)
    assert days.shares(400)[-1] == pytest.approx((20**2 + 130**2 + 250**2) / 400**2)
    assert days.shares(100)[0] == 1


def test_with_few_held_out_photos_another_mix_is_not_taken_for_other_answers():
    rng, low = np.random.default_rng(10), []
    for _ in range(30):
        held, late = held_out(rng, 40), rng.choice(3, 3000, p=[0.96, 0.02, 0.02])
        low.append(watched(held, late, rng).scores[-1, -1])
    assert np.mean(np.array(low) <= 0.1) <= 0.2


def test_noise_of_the_votes_that_scores_foretell_does_not_hide_a_change_of_the_mix():
    rng, weights = np.random.default_rng(11), np.array([[2, -2, 0], [0, 2, -2.0]])

    def photos(truth):
        scores = rng.normal(size=(len(truth), 2))
        return scores, np.eye(3)[truth] + scores @ weights

    truth, late = rng.integers(0, 3, 150), rng.choice(3, 1500, p=[0.7, 0.2, 0.1])
    known, stream = photos(truth), photos(late)
    day = np.arange(1500)
    seen = Means.of(truth, known, stream, day, KNOBS)
    blind = [(rng.normal(size=(len(votes), 2)), votes) for _, votes in (known, stream)]
    assert seen.mix[-1].min() < 1e-6 < Means.of(truth, *blind, day, KNOBS).mix[-1].min()


def test_a_class_without_held_out_photos_and_lengths_of_every_kind_are_no_obstacle():
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 60)
    held = Held(answers(truth, rng), truth, np.zeros((60, 8)))
    means = watched(held, rng.integers(0, 2, 3100), rng)
    assert np.isfinite(means.scores).all() and means.off.shape[1] == len(RUNS)
    assert all(length % STEP == 0 for length in LENGTHS)
