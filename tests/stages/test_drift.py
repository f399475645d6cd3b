import csv

import numpy as np
import pytest

from stages import drift, snapshot
from tests.stages.log_files import card, feedback, figures, predictions, refresh, write

KNOBS = {"window": 200, "min_predictions": 100, "alpha": 0.01, "min_effect": 0.1, "seed": 0}
PLOTS = ("drift_classes", "drift_confidence", "drift_windows")
WRITTEN = ["metrics/drift.json", "metrics/drift_windows.csv", *(f"plots/{n}.svg" for n in PLOTS)]


@pytest.fixture
def report(shop, monkeypatch):
    """Writes records, freezes them and gives the report."""
    monkeypatch.chdir(shop.path)

    def made(records):
        write(shop, records)
        snapshot.main({"limit": 100_000})
        drift.main(KNOBS)
        return figures(shop, "drift")

    return made


def test_without_predictions_the_report_says_so_and_is_complete(finished):
    told = figures(finished, "drift")
    assert told["state"] == "no predictions"
    assert told["md5"] == card(finished)["model"]["md5"]
    assert told["reference"]["distinct"] <= told["reference"]["photos"]
    assert all("</svg>" in (finished.path / f"plots/{n}.svg").read_text() for n in PLOTS)


def test_few_predictions_are_described_before_any_is_compared(shop, report):
    told = report([*predictions(shop, 60), feedback(4, "Tulip")])
    assert told["state"] == "warming up"
    assert told["windows"] == {"compared": 0, "differ": 0}
    assert told["newest"]["predictions"] == 60 and "tests" not in told["newest"]
    assert told["newest"]["labelled"] == told["all"]["labelled"] == 1


def test_answers_like_those_of_the_test_are_ok(shop, report):
    told = report(predictions(shop, 400))
    assert told["state"] == "ok"
    assert set(told["newest"]["tests"]) == {*card(shop)["classes"], "labels"}
    assert told["newest"]["warnings"] == []
    assert sum(told["newest"]["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_two_windows_that_differ_are_an_alarm_and_one_is_none(shop, report):
    once = report(predictions(shop, 400) + predictions(shop, 200, 400, wrong=True))
    assert (once["state"], once["windows"]) == ("ok", {"compared": 3, "differ": 1})
    twice = report(predictions(shop, 200, 600, wrong=True))
    assert (twice["state"], twice["windows"]) == ("alarm", {"compared": 4, "differ": 2})
    assert twice["newest"]["l1"] > twice["newest"]["l1_noise"]
    with (shop.path / "metrics/drift_windows.csv").open() as file:
        assert [row["differs"] for row in csv.DictReader(file)] == ["0", "0", "1", "1"]


def test_photos_of_another_kind_are_a_warning_and_no_alarm(shop, report):
    black = {"mean": [0.0] * 3, "std": [0.0] * 3, "brightness": 0.0}
    told = report(predictions(shop, 400, image=black))
    assert told["state"] == "ok"
    assert "brightness" in told["newest"]["warnings"]


def test_accuracy_is_that_of_the_labels_that_came(shop, report):
    records = predictions(shop, 200)
    right = [feedback(i, records[i]["label"]) for i in range(30)]
    others = [feedback(i, other(shop, records[i]["label"])) for i in range(30, 40)]
    newest = report([*records, *right, *others])["newest"]
    assert (newest["labelled"], newest["coverage"], newest["accuracy"]) == (40, 0.2, 0.75)
    assert newest["accuracy_low"] < 0.75 < newest["accuracy_high"]


def other(shop, label):
    return next(c for c in card(shop)["classes"] if c != label)


def test_the_same_snapshot_gives_the_same_bytes(shop, report):
    report(predictions(shop, 500))
    before = [(shop.path / name).read_bytes() for name in WRITTEN]
    shop.stage("drift")
    assert [(shop.path / name).read_bytes() for name in WRITTEN] == before


def test_a_minimum_above_the_window_is_refused(shop):
    line = shop.refused("drift", **{"drift.min_predictions": 300})
    assert "drift.min_predictions" in line and "300" in line and "200" in line


def test_the_log_is_read_when_asked_to_and_no_model_is_trained(shop):
    write(shop, predictions(shop, 400, wrong=True))
    assert "Running" not in shop.run("dvc", "repro").stdout
    refresh(shop)
    assert figures(shop, "drift")["state"] == "alarm"
    assert "Running" not in shop.run("dvc", "repro").stdout
    changed = shop.run("git", "diff", "--name-only").stdout.split()
    assert not any(name.startswith("metrics/train") for name in changed)


def test_the_reference_says_what_evaluate_measured(finished):
    with (finished.path / "metrics/predictions.csv").open() as file:
        rows = {row["row"]: row for row in csv.DictReader(file)}
    with (finished.path / "models/candidate/reference.csv").open() as file:
        reference = list(csv.DictReader(file))
    name = figures(finished, "promotion")["champion"]
    assert [line["row"] for line in reference] == list(rows)
    images = np.load(finished.path / "data/images.npy")
    for line in reference:
        row = rows[line["row"]]
        assert (line["group"], line["label"]) == (row["group"], row["label"])
        for c in card(finished)["classes"]:
            assert line[f"p_{c}"] == row[f"{name}_{c}"]
        red = images[int(line["row"]), ..., 0].mean() / 255
        assert float(line["image_mean_red"]) == pytest.approx(red, abs=1e-4)
