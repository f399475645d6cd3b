import json
import os

import pytest

from flowers.log import alarms, days
from scoring.latch import main
from stages import drift as watch
from stages import snapshot
from tests.stages.log_files import figures, predictions, write
from tests.stages.test_drift import KNOBS


@pytest.fixture
def here(workdir, monkeypatch):
    """A finished run to work in, and what `make drift` does but for its pictures."""
    monkeypatch.chdir(workdir.path)
    monkeypatch.setattr(watch, "pictures", lambda *_: {})

    def drift(*records, acknowledge=False, limit=100_000):
        write(workdir, records)
        if acknowledge:
            assert main(["acknowledge"]) == 0
        snapshot.main({"limit": limit})
        watch.main(KNOBS)
        assert main(["keep"]) == 0
        return figures(workdir, "drift")

    drift.workdir = workdir
    return drift


def moved(repo_copy, first):
    return predictions(repo_copy, 1000, first, wrong=True)


def logged(repo_copy):
    lines = (repo_copy.path / "logs/alarms.jsonl").read_text().splitlines()
    return [json.loads(line)["kind"] for line in lines if line]


def test_an_alarm_stays_although_its_photos_are_read_no_more(here):
    first = here(*moved(here.workdir, 0))["alarm"]
    later = here(*predictions(here.workdir, 600, 1000), limit=500)
    assert (later["state"], later["windows"]["differ"]) == ("alarm", 0)
    assert later["alarm"] == first | {"latched": True}
    assert logged(here.workdir) == ["alarm"]


def test_a_person_clears_it_and_the_watch_begins_anew(here):
    assert here(*moved(here.workdir, 0))["state"] == "alarm"
    cleared = here(acknowledge=True)
    assert (cleared["state"], cleared["alarm"]) == ("warming up", None)
    assert cleared["acknowledged"]
    assert logged(here.workdir) == ["alarm", "acknowledgement"]
    late = [
        r | {"time": r["time"].replace("2026", "2900")} for r in predictions(here.workdir, 9, 5000)
    ]
    assert here(*late)["state"] == "warming up"  # their clock is wrong


def test_what_a_clock_that_was_ahead_has_cleared_blinds_nobody_once_it_is_set_back(here):
    here(*moved(here.workdir, 0))
    late = f"2100{alarms.now()[4:]}"
    md5 = figures(here.workdir, "drift")["md5"]
    line = {"time": late, "kind": alarms.ACKNOWLEDGEMENT, "model_md5": md5}
    days.append(here.workdir.path / "logs", [line], alarms.NAME)
    os.utime(here.workdir.path / "logs/alarms.jsonl", (2**32, 2**32))
    assert here()["alarm"]["latched"] is True


def test_without_an_alarm_there_is_nothing_to_clear(here, capsys):
    here(*predictions(here.workdir, 300))
    assert main(["acknowledge"]) == 0
    assert "nothing to clear" in capsys.readouterr().out
    assert not (here.workdir.path / "logs/alarms.jsonl").exists()


def test_the_alarm_of_another_model_does_not_stand(here):
    here(*moved(here.workdir, 0))
    path = here.workdir.path / "logs/alarms.jsonl"
    path.write_text(path.read_text().replace('"model_md5": "', '"model_md5": "f'))
    assert here()["alarm"]["latched"] is False


@pytest.mark.parametrize("line", ["torn {", '{"kind": "alarm", "time": 7}', "[]", "7"])
def test_a_damaged_line_costs_nothing_else(here, line):
    here(*moved(here.workdir, 0))
    path = here.workdir.path / "logs/alarms.jsonl"
    path.write_text(f"{line}\n{path.read_text()}\n{line}")
    assert here()["alarm"]["latched"] is True


def test_without_a_model_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["acknowledge"]) == 2
    assert "dvc repro" in capsys.readouterr().err


def test_what_is_no_report_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/drift.json").write_text("[1, 2]")
    assert main(["keep"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
