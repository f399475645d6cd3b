from types import SimpleNamespace

import numpy as np
import pytest

from flowers.base.parallel import use_workers
from flowers.drift import charts, detector
from flowers.drift.detector import Alert, compute_ties
from flowers.drift.report import monitor_rows
from flowers.drift_simulation import traffic
from flowers.drift_simulation.power import SimulatedShift, Simulator, select_spread
from flowers.log.record import UNKNOWN
from flowers.log.table import build_row_dtype
from tests.flowers.drift.synthetic import draw_predictions, draw_reference

PARAMS = {"wealth_limit": 100, "window": 500, "alpha": 0.01, "proportion_tolerance": 0.05}
EVERYTHING = np.arange(300)


@pytest.fixture(scope="module")
def reference():
    return draw_reference(np.random.default_rng(0), 300)


@pytest.fixture
def covariate_shift(reference):
    after = draw_predictions(reference.truth, np.random.default_rng(4), 0.2)
    return after, after.argmax(axis=1) == reference.truth, EVERYTHING


@pytest.mark.parametrize(
    ("strength", "proportions", "detected_by"),
    [
        (2.0, [1 / 3] * 3, {None}),
        (0.8, [1 / 3] * 3, {"scores", "martingale"}),
        (2.0, [0.8, 0.1, 0.1], {"class proportions"}),
    ],
)
def test_the_stage_and_the_simulation_detect_the_same(
    reference, strength, proportions, detected_by
):
    rng = np.random.default_rng(5)
    truth = np.concatenate([rng.integers(0, 3, 700), rng.choice(3, 1300, p=proportions)])
    rows = np.zeros(2000, build_row_dtype(3))
    rows["probabilities"][:700] = draw_predictions(truth[:700], rng)
    rows["probabilities"][700:] = draw_predictions(truth[700:], rng, strength)
    a_day = np.timedelta64(1, "D").astype("m8[us]")
    rows["time"] = np.datetime64("2026-01-01") + np.arange(2000) * (a_day // traffic.PER_DAY)
    rows["truth"] = UNKNOWN
    labels = {"label_alpha": 0.001, "max_accuracy_drop": 0.15}
    of_stage = monitor_rows(reference, rows, PARAMS | labels)

    # In the simulation the stream is the second of two, drawn from a common population.
    other = draw_predictions(rng.integers(0, 3, 50), rng)
    population = np.concatenate([reference.probabilities, other, rows["probabilities"]])
    references = np.stack([rng.integers(0, 300, 300), EVERYTHING])
    streams = np.stack([rng.integers(0, 350, 2000), np.arange(350, 2350)])
    ties = np.stack([rng.random(2000), compute_ties(rows)])
    of_simulation = Simulator(reference, PARAMS, 0).detect_in_streams(
        population, references, streams, SimpleNamespace(random=lambda shape: ties)
    )
    *_, (detection, _) = of_simulation
    assert detection.alert == of_stage.detection.alert == of_stage.alert
    assert (detection.alert and detection.alert.detector) in detected_by
    assert detection.log_wealth == pytest.approx(of_stage.detection.log_wealth, abs=1e-9)
    for name in ("scores", "proportions", "deviations"):
        expected = getattr(of_stage.detection.tests, name)
        assert getattr(detection.tests, name) == pytest.approx(expected)


def test_images_to_shift_are_from_as_many_groups_as_possible():
    groups = np.array([0, 0, 0, 1, 1, 2, 3])
    assert set(groups[select_spread(groups, 4)]) == {0, 1, 2, 3}
    assert len(np.unique(select_spread(groups, 6))) == 6
    assert len(select_spread(groups, 100)) == 7


@pytest.mark.parametrize("kind", [{}, {"burst": 3.0, "day_sd": 0.05}])
def test_streams_without_a_shift_rarely_raise_an_alert(reference, kind):
    simulator = Simulator(reference, PARAMS, 0)
    ((name, rates),) = simulator.simulate_false_alarms(20, {"some": kind}, 5000)
    low, rate, high = (rates[f"false_alarm_rate{end}"] for end in ("_low", "", "_high"))
    assert (name, rates["streams"]) == ("some", 20)
    assert low <= rate <= high and rate <= 0.1


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_workers_change_nothing(reference, backend):
    simulator = Simulator(reference, PARAMS, 3)
    traffics = {"plain": {}, "in bursts": {"burst": 5.0}}
    alone = dict(simulator.simulate_false_alarms(45, traffics, 300))
    with use_workers(2, backend):
        assert dict(simulator.simulate_false_alarms(45, traffics, 300)) == alone
    (one,) = simulator.simulate_false_alarms(45, {"in bursts": {"burst": 5.0}}, 300)
    assert one == ("in bursts", alone["in bursts"])


def test_covariate_shift_is_detected_soon_with_its_kind(reference, covariate_shift):
    simulator = Simulator(reference, PARAMS, 0)
    (_, correct, _) = covariate_shift
    power = simulator.simulate_shift(SimulatedShift(*covariate_shift), 10)
    assert power["detected_within_1000"] >= 0.9 and power["kind_correct"] >= 0.9
    drop = simulator.accuracy - correct.mean()
    assert power["accuracy_drop"] == pytest.approx(drop, abs=0.02)
    gradual = simulator.simulate_shift(SimulatedShift(*covariate_shift, gradual=2000), 10)
    assert gradual["median_delay"] > power["median_delay"]
    assert power == simulator.simulate_shift(SimulatedShift(*covariate_shift), 10)


def test_label_shift_is_detected_with_its_kind(reference):
    simulator = Simulator(reference, PARAMS, 0)
    proportions = np.array([0.8, 0.1, 0.1])
    unchanged = reference.probabilities, simulator.correct, EVERYTHING
    power = simulator.simulate_shift(SimulatedShift(*unchanged, proportions=proportions), 10)
    assert power["detected_within_2000"] >= 0.9 and power["kind_correct"] >= 0.8


def test_power_is_none_where_every_stream_has_a_false_alarm(
    reference, covariate_shift, monkeypatch
):
    simulator = Simulator(reference, PARAMS, 0)
    monkeypatch.setattr(detector, "find_first_alert", lambda *_: Alert("martingale", 0, 0))
    power = simulator.simulate_shift(SimulatedShift(*covariate_shift), 2)
    for name in ("detected_within_400", "detected_within_2000", "median_delay", "kind_correct"):
        assert power[name] is None
    rates = dict(simulator.simulate_false_alarms(1, {"independent": {}}, 600))
    assert charts.plot_power(rates, {"none": power}).startswith("<?xml")
