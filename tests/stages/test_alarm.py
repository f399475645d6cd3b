import json

from flowers.drift.shifts import NAMES
from tests.imports import ROOT
from tests.stages.log_files import figures


def test_every_shift_and_none_is_simulated_at_every_size(finished):
    rates = figures(finished, "alarm")
    assert set(rates) == {"no shift", *NAMES}
    for sizes in rates.values():
        assert list(sizes) == ["50"]
        for rate in sizes.values():
            assert 0 <= rate["alarm"] <= rate["one_window"] <= 1
    assert "</svg>" in (finished.path / "plots/alarm.svg").read_text()


def test_the_same_seed_gives_the_same_figures_and_another_one_others(shop):
    before = (shop.path / "metrics/alarm.json").read_bytes()
    shop.stage("alarm", **{"alarm.seed": 0})
    assert (shop.path / "metrics/alarm.json").read_bytes() == before
    shop.stage("alarm", **{"alarm.seed": 1})
    assert (shop.path / "metrics/alarm.json").read_bytes() != before


def test_the_committed_alarm_keeps_quiet_without_a_shift_and_rings_with_one():
    rates = json.loads((ROOT / "metrics/alarm.json").read_text())
    for size in ("200", "500"):
        assert rates["no shift"][size]["alarm"] <= 0.015
        assert rates["no shift"][size]["one_window"] <= 0.015
    for shift in ("grey", "swap", "darker"):
        assert rates[shift]["200"]["alarm"] >= 0.95
