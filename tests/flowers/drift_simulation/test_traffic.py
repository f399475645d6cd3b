import numpy as np
import pytest

from flowers.base.parallel import use_workers
from flowers.drift import charts, watch
from flowers.drift_simulation.cases import Case, spread
from flowers.drift_simulation.simulation import MONTH, Simulator
from flowers.drift_simulation.traffic import days, draw_photos, streams
from flowers.model.reference import Reference
from tests.flowers.drift.test_martingale import answers

KNOBS = {"wealth_limit": 100, "window": 500, "alpha": 0.01, "proportion_tolerance": 0.05}


@pytest.fixture(scope="module")
def held_out():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    return Reference(
        classes=["Iris", "Rose", "Tulip"],
        row=np.arange(300),
        group=np.arange(300),
        truth=truth,
        probabilities=answers(truth, rng).astype("f4"),
        image=np.zeros((300, 8), "f4"),
    )


def test_twins_are_not_counted_as_pictures_of_their_own():
    groups = np.array([0] * 90 + list(range(1, 11)))
    drawn = draw_photos(groups, np.ones(100), (11_000,), np.random.default_rng(0))
    assert 800 < (groups[drawn] == 0).sum() < 1200
    assert len(np.unique(drawn)) == 100


def test_a_photo_of_no_weight_is_never_drawn_its_twins_are():
    weights = np.array([0.0, 2.0, 0.0, 1.0, 3.0])
    drawn = draw_photos(np.array([0, 0, 1, 2, 3]), weights, (6000,), np.random.default_rng(0))
    assert set(drawn) == {1, 3, 4}
    assert 2850 < (drawn == 4).sum() < 3150


def test_bursts_are_as_long_as_told_and_every_class_comes_as_often(held_out):
    classes = held_out.truth[streams(held_out, (20, 3000), np.random.default_rng(1), burst=4.0)]
    share = np.bincount(held_out.truth) / 300
    assert np.bincount(classes.ravel()) / classes.size == pytest.approx(share, abs=0.02)
    same = (classes[:, 1:] == classes[:, :-1]).mean()
    assert same == pytest.approx(3 / 4 + (share**2).sum() / 4, abs=0.01)


def test_days_swing_as_far_as_told_and_stay_mixes():
    drawn = days(np.array([0.3, 0.3, 0.4, 0.0]), (50, 40), 0.05, np.random.default_rng(2))
    assert drawn.sum(axis=-1) == pytest.approx(1)
    assert drawn[..., 0].std() == pytest.approx(0.05 * np.sqrt(1 - 0.3 * 2 + 0.34), rel=0.15)
    assert (drawn[..., 3] == 0).all()


def test_a_mix_that_is_asked_for_comes(held_out):
    mix = np.array([0.7, 0.0, 0.3])
    drawn = streams(held_out, (5, 2000), np.random.default_rng(3), mix=mix)
    found = np.bincount(held_out.truth[drawn].ravel(), minlength=3) / drawn.size
    assert found == pytest.approx(mix, abs=0.03)


def test_photos_to_shift_are_of_as_many_groups_as_there_are():
    groups = np.array([0, 0, 0, 1, 1, 2, 3])
    assert set(groups[spread(np.arange(7), groups, 4)]) == {0, 1, 2, 3}
    assert len(np.unique(spread(np.arange(7), groups, 6))) == 6
    assert len(spread(np.arange(7), groups, 100)) == 7


@pytest.mark.parametrize("kind", [{}, {"burst": 3.0, "day_sd": 0.05}])
def test_months_without_a_shift_are_quiet(held_out, kind):
    ((name, told),) = Simulator(held_out, KNOBS, 0).false_alarms(20, {"some": kind}, 5000)
    assert name == "some"
    assert (
        told["false_alarm_rate"] <= 0.1
        and told["false_alarm_rate_low"]
        <= told["false_alarm_rate"]
        <= told["false_alarm_rate_high"]
    )
    assert told["streams"] == 20 and MONTH == 20_000


@pytest.mark.parametrize("name", ["threading", "loky"])
def test_workers_change_nothing(held_out, name):
    simulator = Simulator(held_out, KNOBS, 3)
    traffics = {"plain": {}, "in bursts": {"burst": 5.0}}
    alone = dict(simulator.false_alarms(45, traffics, 600))
    with use_workers(2, name):
        assert dict(simulator.false_alarms(45, traffics, 600)) == alone
    (one,) = simulator.false_alarms(45, {"in bursts": {"burst": 5.0}}, 600)
    assert one == ("in bursts", alone["in bursts"])


def test_a_shift_of_the_photos_rings_soon_and_is_called_so(held_out):
    truth, rng = held_out.truth, np.random.default_rng(4)
    after = answers(truth, rng, 0.2)
    right = after.argmax(axis=1) == truth
    simulator = Simulator(held_out, KNOBS, 0)
    told = simulator.detection(Case(after, right, np.arange(300)), 10)
    assert told["detected_within_1000"] >= 0.9 and told["kind_correct"] >= 0.9
    assert told["accuracy_drop"] == pytest.approx(simulator.accuracy - right.mean(), abs=0.02)
    slowly = simulator.detection(Case(after, right, np.arange(300), slow=2000), 10)
    assert slowly["median_delay"] > told["median_delay"]
    assert told == simulator.detection(Case(after, right, np.arange(300)), 10)


def test_another_mix_of_classes_is_called_so(held_out):
    truth = held_out.truth
    right = held_out.probabilities.argmax(axis=1) == truth
    mix = np.array([0.8, 0.1, 0.1])
    case = Case(held_out.probabilities, right, np.arange(300), mix=mix)
    told = Simulator(held_out, KNOBS, 0).detection(case, 10)
    assert told["detected_within_2000"] >= 0.9 and told["kind_correct"] >= 0.8


def test_where_all_streams_ring_too_soon_none_is_left_to_see_the_shift(held_out, monkeypatch):
    simulator = Simulator(held_out, KNOBS, 0)
    monkeypatch.setattr(watch, "first_ring", lambda *_: watch.Ring(watch.CAPITAL, 0, 0))
    right = held_out.probabilities.argmax(axis=1) == held_out.truth
    told = simulator.detection(Case(held_out.probabilities, right, np.arange(300)), 2)
    assert (
        told["detected_within_400"] is told["detected_within_2000"] is told["median_delay"] is None
    )
    quiet = dict(simulator.false_alarms(1, {"independent": {}}, 600))
    assert charts.alarm(quiet, {"none": told}).startswith("<?xml")
