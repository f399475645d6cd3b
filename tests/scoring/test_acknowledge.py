import json
import os

import pytest

from flowers.drift import charts
from flowers.log import alerts, day_files
from scoring.acknowledge import main
from stages import drift, snapshot
from tests.stages.log_files import make_predictions, read_figures, write_records
from tests.stages.test_drift import PARAMS


@pytest.fixture
def monitor(workdir, monkeypatch):
    """Do what `make drift` does in a finished run, without plots; returns the report."""
    monkeypatch.chdir(workdir.path)
    monkeypatch.setattr(charts, "plot_report", lambda *_: {})

    def run(*records, acknowledge=False, limit=100_000):
        write_records(workdir, records)
        if acknowledge:
            assert main("acknowledge") == 0
        snapshot.main({"limit": limit})
        drift.main(PARAMS)
        assert main("store") == 0
        return read_figures(workdir, "drift")

    return run


@pytest.fixture
def shifted(monitor, workdir):
    """The report after a shift."""
    return monitor(*make_predictions(workdir, 1000, wrong=True))


def read_kinds(workdir):
    lines = (workdir.path / "logs/alerts.jsonl").read_text().splitlines()
    return [json.loads(line)["kind"] for line in lines if line]


def test_an_alert_stays_when_its_predictions_are_no_longer_read(monitor, shifted, workdir):
    later = monitor(*make_predictions(workdir, 600, 1000), limit=500)
    assert (later["state"], later["alert"]["stored"]) == ("alert", True)
    assert later["alert"] == shifted["alert"] | {"stored": True}
    assert read_kinds(workdir) == ["alert"]


def test_acknowledging_restarts_monitoring(monitor, shifted, workdir):
    assert shifted["state"] == "alert"
    restarted = monitor(acknowledge=True)
    assert (restarted["state"], restarted["alert"]) == ("warming up", None)
    assert restarted["acknowledged"]
    assert read_kinds(workdir) == ["alert", "acknowledgement"]
    late = make_predictions(workdir, 9, 5000)
    late = [record | {"time": record["time"].replace("2026", "2900")} for record in late]
    assert monitor(*late)["state"] == "warming up"  # the clock of these records is wrong


def test_an_acknowledgement_with_a_clock_ahead_is_skipped_after_the_clock_is_set_back(
    monitor, shifted, workdir
):
    time = f"2100{alerts.format_now()[4:]}"
    line = {"time": time, "kind": alerts.ACKNOWLEDGEMENT, "model_md5": shifted["md5"]}
    day_files.append_records(workdir.path / "logs", [line], alerts.FILE_NAME)
    os.utime(workdir.path / "logs/alerts.jsonl", (2**32, 2**32))
    assert monitor()["alert"]["stored"] is True


def test_without_an_alert_there_is_nothing_to_acknowledge(monitor, workdir, capsys):
    monitor(*make_predictions(workdir, 300))
    assert main("acknowledge") == 0
    assert "nothing to acknowledge" in capsys.readouterr().out
    assert not (workdir.path / "logs/alerts.jsonl").exists()


def test_damaged_lines_and_alerts_of_other_models_are_skipped(monitor, shifted, workdir):
    path = workdir.path / "logs/alerts.jsonl"
    damaged = ["torn {", '{"kind": "alert", "time": 7}', "[]", "7"]
    path.write_text("\n".join([*damaged, path.read_text(), *damaged]))
    assert monitor()["alert"]["stored"] is True
    path.write_text(path.read_text().replace('"model_md5": "', '"model_md5": "f'))
    assert monitor()["alert"]["stored"] is False


@pytest.mark.parametrize(
    ("command", "words"), [("acknowledge", "dvc repro"), ("store", "make drift")]
)
def test_a_missing_model_or_a_faulty_report_is_refused_in_one_line(
    tmp_path, monkeypatch, capsys, command, words
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monitoring/drift").mkdir(parents=True)
    (tmp_path / "monitoring/drift/drift.json").write_text("[1, 2]")
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_the_alert_file_of_version_3_is_refused_in_one_line(monitor, shifted, workdir, capsys):
    (workdir.path / "logs/alarms.jsonl").write_text("")
    assert main("acknowledge") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "alarms.jsonl" in line and "delete it" in line
    assert "alarms.jsonl" in workdir.expect_refusal("snapshot")
