import numpy as np
import pytest

from flowers.base.tables import read_csv
from flowers.drift import charts
from flowers.drift.detector import COVARIATE_SHIFT, DETECTORS, LABEL_SHIFT, PERFORMANCE
from flowers.drift.report import summarise_report
from stages import drift, snapshot
from tests.stages.log_files import (
    make_feedback,
    make_predictions,
    read_card,
    read_figures,
    refresh_drift,
    write_records,
)

PARAMS = {"window": 200, "alpha": 0.01, "proportion_tolerance": 0.05}
PARAMS |= {"label_alpha": 0.001, "max_accuracy_drop": 0.15}
PLOTS = [f"monitoring/drift/{n}.svg" for n in ("tests", "images", "accuracy", "classes")]
WRITTEN = ["monitoring/drift/drift.json", "monitoring/drift/periods.csv", *PLOTS]


@pytest.fixture
def report(workdir, monkeypatch):
    """Write records, run both stages and return the report; few tests draw the slow plots."""
    monkeypatch.chdir(workdir.path)

    def run(records, draw=False):
        write_records(workdir, records)
        snapshot.main({"limit": 100_000})
        with monkeypatch.context() as patch:
            if not draw:
                patch.setattr(charts, "plot_report", lambda *_: {})
            drift.main(PARAMS)
        return read_figures(workdir, "drift")

    return run


@pytest.fixture
def shifted(workdir):
    """Records of 400 predictions before and 600 after a shift."""
    return make_predictions(workdir, 400) + make_predictions(workdir, 600, 400, uniform=0.7)


def count_minutes(text):
    return (np.datetime64(text) - np.datetime64("2026-01-01")) / np.timedelta64(1, "m")


def make_wrong_feedback(repo_copy, number, record):
    classes = read_card(repo_copy)["classes"]
    return make_feedback(number, next(c for c in classes if c != record["label"]))


def test_without_predictions_the_report_is_complete(finished_run):
    result = read_figures(finished_run, "drift")
    assert result["state"] == "no predictions"
    assert result["md5"] == read_card(finished_run)["model"]["md5"]
    assert result["reference"]["distinct"] > 0
    assert not any((finished_run.path / name).exists() for name in PLOTS)


def test_the_line_has_the_accuracy_of_the_labels_or_else_the_expected_one():
    report = {"state": "ok", "alert": None, "expected_accuracy": {"estimate": 0.666}}
    unlabelled = {"status": "unknown", "labelled": 0, "accuracy": None}
    line = summarise_report(report | {"performance": unlabelled}, 400)
    assert line == "ok; accuracy: unknown, expected accuracy 0.666; 400 predictions"
    labelled = {"status": "no drop", "labelled": 320, "accuracy": 0.8156}
    line = summarise_report(report | {"performance": labelled}, 400)
    assert line == "ok; accuracy: no drop, 0.816 of 320 labelled; 400 predictions"


def test_few_predictions_are_described_and_not_compared(workdir, report):
    result = report([*make_predictions(workdir, 60), make_feedback(4, "Tulip")], draw=True)
    assert result["state"] == "warming up"
    assert result["expected_accuracy"] is None
    assert result["performance"]["status"] == "unknown"
    assert result["performance"]["labels_needed"] != 0
    assert result["newest_window"]["predictions"] == 60
    assert "image_statistics" not in result["newest_window"]
    assert result["newest_window"]["labelled"] == result["all_predictions"]["labelled"] == 1


def test_predictions_like_those_of_the_reference_set_are_ok(workdir, report):
    result = report(make_predictions(workdir, 400))
    assert result["state"] == "ok" and result["alert"] is None
    expected = result["expected_accuracy"]
    assert expected["low"] <= result["reference"]["accuracy"] <= expected["high"]
    assert result["newest_window"]["image_statistics"] == {}
    assert sum(result["newest_window"]["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_an_alert_has_times_kind_scores_and_predictions_to_look_up(workdir, report, shifted):
    result = report(shifted, draw=True)
    alert = result["alert"]
    assert result["state"] == "alert" and not alert["stored"]
    # With so few reference images either kind is possible.
    explained = {COVARIATE_SHIFT: "scores", LABEL_SHIFT: "class_proportions"}
    assert alert[explained[alert["kind"]]] and alert["action"]
    names = {record["request_id"] for record in shifted}
    assert len(alert["unusual"]) == 20 and {u["request_id"] for u in alert["unusual"]} <= names
    assert 250 <= count_minutes(alert["change_started_at"]) <= 450
    assert 400 < count_minutes(alert["detected_at"]) < 900


@pytest.mark.parametrize("missing", [False, True])
def test_other_image_statistics_are_reported_and_raise_no_alert(workdir, report, missing):
    black = {"mean": [0.0] * 3, "std": [0.0] * 3, "brightness": 0.0, "sharpness": 0.0}
    records = make_predictions(workdir, 400)
    for number, record in enumerate(records):
        record["image"] = black | {"brightness": number * 1e-6}
        if missing:  # in records of earlier versions: not compared
            del record["image"]["sharpness"]
    result = report(records, draw=missing)
    assert result["state"] == "ok"
    differ = set(result["newest_window"]["image_statistics"])
    assert "brightness" in differ and ("sharpness" in differ) != missing


def test_accuracy_is_that_of_the_reported_labels(workdir, report):
    records = make_predictions(workdir, 200)
    labels = [make_feedback(i, record["label"]) for i, record in enumerate(records[:30])]
    labels += [make_wrong_feedback(workdir, i, records[i]) for i in range(30, 40)]
    newest = report(records + labels)["newest_window"]
    assert (newest["labelled"], newest["coverage"], newest["accuracy"]) == (40, 0.2, 0.75)
    assert newest["accuracy_low"] < 0.75 < newest["accuracy_high"]


def test_labels_that_show_an_accuracy_drop_raise_an_alert(workdir, report):
    records = make_predictions(workdir, 200)
    labels = [make_wrong_feedback(workdir, i, records[i]) for i in range(150)]
    result = report(records + labels)
    assert result["performance"]["status"] == "drop" and result["state"] == "alert"
    assert result["alert"]["detected_by"] == "labels"
    assert result["alert"]["kind"] == PERFORMANCE


def test_a_change_that_improves_accuracy_is_a_notice(report, shifted):
    labels = [make_feedback(i, record["label"]) for i, record in enumerate(shifted)]
    result = report(shifted + labels)
    assert (result["performance"]["status"], result["state"]) == ("improvement", "notice")
    assert result["alert"]["detected_by"] in DETECTORS


@pytest.mark.slow
def test_charts_of_an_earlier_run_are_removed_where_there_are_no_predictions(workdir, report):
    report(make_predictions(workdir, 120), draw=True)
    assert all((workdir.path / name).is_file() for name in PLOTS)
    for path in (workdir.path / "logs").glob("*.jsonl"):
        path.unlink()
    assert report([], draw=True)["state"] == "no predictions"
    assert not any((workdir.path / name).exists() for name in PLOTS)


def test_the_same_snapshot_gives_the_same_bytes(workdir, report):
    report(make_predictions(workdir, 500), draw=True)
    before = [(workdir.path / name).read_bytes() for name in WRITTEN]
    workdir.run_stage("drift", **{f"drift.{key}": value for key, value in PARAMS.items()})
    assert [(workdir.path / name).read_bytes() for name in WRITTEN] == before


@pytest.mark.slow
def test_the_log_changes_no_tracked_file_and_no_stage_runs_for_it(repo_copy):
    write_records(repo_copy, make_predictions(repo_copy, 1500, wrong=True))
    assert repo_copy.repro() == []
    refresh_drift(repo_copy)
    assert read_figures(repo_copy, "drift")["state"] == "alert"
    assert repo_copy.repro() == []
    assert repo_copy.run("git", "status", "--porcelain").stdout == ""
    # After a change of code dvc repro reads the log; dvc.lock records the code alone.
    lock = (repo_copy.path / "dvc.lock").read_text()
    code = repo_copy.path / "flowers/log/alerts.py"
    original = code.read_text()
    code.write_text(original + "\n# changed\n")
    assert repo_copy.repro("drift") == ["snapshot", "drift"]
    assert read_figures(repo_copy, "snapshot")["predictions"] == 1500
    changed = repo_copy.run("git", "diff", "--name-only").stdout.split()
    assert changed == ["dvc.lock", "flowers/log/alerts.py"]
    code.write_text(original)
    assert repo_copy.repro("drift") == ["snapshot", "drift"]
    assert (repo_copy.path / "dvc.lock").read_text() == lock
    assert repo_copy.repro("snapshot", "drift", force=True, single_item=True)
    assert (repo_copy.path / "dvc.lock").read_text() == lock


def test_the_reference_set_has_the_predictions_of_evaluate(finished_run):
    predictions = read_csv(finished_run.path / "metrics/predictions.csv")
    reference = read_csv(finished_run.path / "models/candidate/reference.csv")
    name = read_figures(finished_run, "promotion")["champion"]
    columns = {key: key for key in ("row", "group", "label")}
    columns |= {f"p_{c}": f"{name}_{c}" for c in read_card(finished_run)["classes"]}
    for column, source in columns.items():
        assert reference[column].tolist() == predictions[source].tolist()
    rows = reference["row"].astype(int)
    red = np.load(finished_run.path / "data/images.npy")[rows, ..., 0].mean(axis=(1, 2)) / 255
    assert reference["image_mean_red"].astype(float) == pytest.approx(red, abs=1e-4)
