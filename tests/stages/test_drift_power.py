import json

import pytest

from flowers.drift_simulation.power import TRAFFIC
from flowers.drift_simulation.shifts import NAMES
from tests.imports import ROOT
from tests.stages.log_files import read_figures


def test_every_shift_and_every_traffic_is_simulated(workdir):
    workdir.run_stage("drift_power")
    power = read_figures(workdir, "drift_power")
    card = json.loads((workdir.path / "models/candidate/card.json").read_text())
    assert power["md5"] == card["model"]["md5"]
    assert set(power["false_alarms"]) == set(TRAFFIC)
    assert {name.partition(",")[0] for name in power["shifts"]} == {"identity", *NAMES}
    assert power["shifts"]["identity"]["accuracy_drop"] == 0
    for rates in power["shifts"].values():
        shares = [rates[f"detected_within_{n}"] for n in (400, 1000, 2000)]
        assert [0, *shares, 1] == sorted([0, *shares, 1])
    assert "</svg>" in (workdir.path / "plots/drift_power.svg").read_text()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures_and_another_seed_others(workdir):
    workdir.run_stage("drift_power")
    before = (workdir.path / "metrics/drift_power.json").read_bytes()
    for seed, same in ((0, True), (1, False)):
        workdir.run_stage("drift_power", **{"drift_power.seed": seed})
        assert ((workdir.path / "metrics/drift_power.json").read_bytes() == before) == same


def test_the_committed_figures_have_few_false_alarms_and_detect_harmful_shifts():
    power = json.loads((ROOT / "metrics/drift_power.json").read_text())
    for traffic, rates in power["false_alarms"].items():
        # Class proportions that move by more than drift.proportion_tolerance are an alert.
        if not traffic.startswith(("weekends", "season")):
            assert rates["false_alarm_rate_low"] <= 0.05
    assert power["shifts"]["identity"]["detected_within_2000"] <= 0.05
    for name, shift in power["shifts"].items():
        if name.endswith(", 100 %") and shift["accuracy_drop"] >= 0.05:
            assert shift["detected_within_1000"] >= 0.9
