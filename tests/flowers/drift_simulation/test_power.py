import numpy as np
import pytest

from flowers.base.parallel import use_workers
from flowers.drift_simulation.charts import plot_power
from flowers.drift_simulation.power import (
    BEFORE_SHIFT,
    WITHIN,
    SimulatedShift,
    Simulator,
    compute_delays,
    select_spread,
)
from tests.flowers.drift.synthetic import draw_predictions, draw_reference

PARAMS = {"window": 500, "alpha": 0.01, "proportion_tolerance": 0.05}


@pytest.fixture(scope="module")
def reference():
    return draw_reference(np.random.default_rng(0), 300)


@pytest.fixture
def simulator(reference):
    return Simulator(reference, 300, PARAMS, 0)


@pytest.fixture
def covariate_shift(reference):
    after = draw_predictions(reference.truth, np.random.default_rng(4), 0.2)
    return add_typicality(after), after.argmax(axis=1) == reference.truth


def add_typicality(probabilities):
    """Predictions of a model without typicality."""
    return np.column_stack([probabilities, np.full(len(probabilities), np.nan)])


def test_images_to_shift_are_from_as_many_groups_as_possible():
    groups = np.array([0, 0, 0, 1, 1, 2, 3])
    assert set(groups[select_spread(groups, 4)]) == {0, 1, 2, 3}
    assert len(np.unique(select_spread(groups, 6))) == 6
    assert len(select_spread(groups, 100)) == 7


@pytest.mark.parametrize("kind", [{}, {"burst": 3.0, "day_sd": 0.05}])
def test_streams_without_a_shift_rarely_raise_an_alert(simulator, kind):
    ((name, rates),) = simulator.simulate_false_alarms(20, {"some": kind}, 5000)
    low, rate, high = (rates[f"false_alarm_rate{end}"] for end in ("_low", "", "_high"))
    assert (name, rates["streams"]) == ("some", 20)
    assert low <= rate <= high and rate <= 0.1


def test_few_images_for_a_large_reference_set_are_no_shift():
    few = draw_reference(np.random.default_rng(1), 40)
    simulator = Simulator(few, 600, PARAMS, 0)
    identity = SimulatedShift(add_typicality(few.probabilities), simulator.correct)
    power = simulator.simulate_shift(identity, 30)
    assert power["detected_within_2000"] <= 0.07 and power["accuracy_drop"] == 0


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_workers_change_nothing(simulator, backend):
    traffics = {"plain": {}, "in bursts": {"burst": 5.0}}
    alone = dict(simulator.simulate_false_alarms(12, traffics, 600))
    with use_workers(2, backend):
        assert dict(simulator.simulate_false_alarms(12, traffics, 600)) == alone
    (one,) = simulator.simulate_false_alarms(12, {"in bursts": {"burst": 5.0}}, 600)
    assert one == ("in bursts", alone["in bursts"])


def test_covariate_shift_is_detected_soon_with_its_kind(simulator, covariate_shift):
    (_, correct) = covariate_shift
    power = simulator.simulate_shift(SimulatedShift(*covariate_shift), 10)
    assert power["detected_within_1000"] >= 0.9 and power["kind_correct"] >= 0.9
    assert power["accuracy_drop"] == pytest.approx(simulator.accuracy - correct.mean())
    gradual = simulator.simulate_shift(SimulatedShift(*covariate_shift, gradual=2000), 10)
    assert gradual["median_delay"] > power["median_delay"]
    assert power == simulator.simulate_shift(SimulatedShift(*covariate_shift), 10)
    part = simulator.simulate_shift(SimulatedShift(*covariate_shift, share=0.5), 2)
    assert part["accuracy_drop"] == pytest.approx(power["accuracy_drop"] / 2)


def test_label_shift_is_detected_with_its_kind(reference, simulator):
    proportions = np.array([0.8, 0.1, 0.1])
    unchanged = add_typicality(reference.probabilities), simulator.correct
    power = simulator.simulate_shift(SimulatedShift(*unchanged, proportions=proportions), 10)
    assert power["detected_within_2000"] >= 0.9 and power["kind_correct"] >= 0.8
    recall = [simulator.correct[reference.truth == c].mean() for c in range(3)]
    expected = simulator.accuracy - proportions @ recall
    assert power["accuracy_drop"] == pytest.approx(expected)


def test_streams_with_an_alert_before_the_shift_are_left_out(simulator):
    early = BEFORE_SHIFT - 1
    delays = compute_delays([early, early + 400, np.inf])
    assert [delays[f"detected_within_{n}"] for n in WITHIN] == [0.5] * 3
    none = compute_delays([early])
    assert set(none.values()) == {None}
    rates = dict(simulator.simulate_false_alarms(1, {"independent": {}}, 600))
    power = {"accuracy_drop": 0.1} | none
    assert plot_power(rates, {"none": power}).startswith("<?xml")
