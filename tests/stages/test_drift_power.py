import json

from flowers.drift_simulation.shifts import OF_CLASSES, OF_PIXELS
from flowers.drift_simulation.simulation import TRAFFIC
from tests.imports import ROOT
from tests.stages.log_files import figures


def test_every_shift_and_every_traffic_is_simulated(finished_run):
    told = figures(finished_run, "alarm")
    assert set(told["false_alarms"]) == set(TRAFFIC)
    names = {name.partition(",")[0] for name in told["shifts"]}
    assert names == {*OF_PIXELS, *OF_CLASSES}
    for rates in told["shifts"].values():
        assert (
            0
            <= rates["detected_within_400"]
            <= rates["detected_within_1000"]
            <= rates["detected_within_2000"]
            <= 1
        )
    assert "</svg>" in (finished_run.path / "plots/drift_power.svg").read_text()


def test_the_same_seed_gives_the_same_figures_and_another_one_others(workdir):
    before = (workdir.path / "metrics/drift_power.json").read_bytes()
    workdir.run_stage("drift_power", **{"drift_power.seed": 0})
    assert (workdir.path / "metrics/drift_power.json").read_bytes() == before
    workdir.run_stage("drift_power", **{"drift_power.seed": 1})
    assert (workdir.path / "metrics/drift_power.json").read_bytes() != before


def test_the_committed_alarm_keeps_quiet_without_a_shift_and_rings_with_one():
    told = json.loads((ROOT / "metrics/drift_power.json").read_text())
    for month in told["false_alarms"].values():
        assert month["false_alarm_rate_low"] <= 0.05
    for shift in ("grey", "darker", "letterbox", "occlude"):
        assert told["shifts"][f"{shift}, 100 %"]["detected_within_1000"] >= 0.9
