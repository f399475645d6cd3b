import csv

import numpy as np
import pytest

from flowers.drift import watch
from stages import drift, snapshot
from tests.stages.log_files import card, feedback, figures, predictions, refresh, when, write

KNOBS = {"wealth_limit": 100, "window": 200, "alpha": 0.01, "proportion_tolerance": 0.05}
KNOBS |= {"label_alpha": 0.001, "max_accuracy_drop": 0.15, "seed": 0}
PLOTS = ("drift_capital", "drift_classes", "drift_confidence", "drift_windows")
WRITTEN = ["metrics/drift.json", "metrics/drift_windows.csv", *(f"plots/{n}.svg" for n in PLOTS)]


@pytest.fixture
def report(workdir, monkeypatch):
    """Writes records, freezes them and gives the report; pictures take a second, few draw them."""
    monkeypatch.chdir(workdir.path)

    def made(records, draw=False):
        write(workdir, records)
        snapshot.main({"limit": 100_000})
        with monkeypatch.context() as patch:
            if not draw:
                patch.setattr(drift, "pictures", lambda *_: {})
            drift.main(KNOBS)
        return figures(workdir, "drift")

    return made


def test_without_predictions_the_report_says_so_and_is_complete(finished_run):
    told = figures(finished_run, "drift")
    assert told["state"] == "no predictions"
    assert told["md5"] == card(finished_run)["model"]["md5"]
    assert told["reference"]["distinct"] > 0
    assert all("</svg>" in (finished_run.path / f"plots/{n}.svg").read_text() for n in PLOTS)


def test_few_predictions_are_described_before_any_is_compared(workdir, report):
    told = report([*predictions(workdir, 60), feedback(4, "Tulip")], draw=True)
    assert told["state"] == "warming up"
    assert told["windows"] == {"compared": 0, "differ": 0, "proportion_moved": 0}
    assert told["verdict"]["word"] == "unknown" and told["verdict"]["labels_missing"] != 0
    assert told["newest"]["predictions"] == 60 and "tests" not in told["newest"]
    assert told["newest"]["labelled"] == told["all"]["labelled"] == 1


def test_answers_like_those_of_the_test_are_ok(workdir, report):
    told = report(predictions(workdir, 400))
    assert told["state"] == "ok" and told["alarm"] is None
    assert told["capital"]["highest"] < 100
    assert set(told["newest"]["tests"]) == {*card(workdir)["classes"], "labels"}
    assert told["newest"]["warnings"] == []
    assert sum(told["newest"]["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_an_alarm_says_when_it_rang_since_when_and_what_changed(workdir, report):
    told = report(predictions(workdir, 400) + predictions(workdir, 600, 400, wrong=True), draw=True)
    alarm = told["alarm"]
    assert told["state"] == "alarm" and not alarm["latched"]
    assert alarm["kind"] == watch.PHOTOS and alarm["answers"]
    assert set(alarm["mix"]) == set(card(workdir)["classes"])
    assert all(m["low"] <= m["share"] <= m["high"] for m in alarm["mix"].values())
    began, rang = (minutes(alarm[key]) for key in ("since", "detected_at"))
    assert 250 <= began <= 450 and 400 < rang < 900
    assert told["newest"]["l1"] > told["newest"]["l1_noise"]


def test_an_alarm_stays_when_the_photos_are_as_before_again(workdir, report):
    moved = predictions(workdir, 400) + predictions(workdir, 600, 400, wrong=True)
    first = report(moved)["alarm"]
    later = report(predictions(workdir, 2000, 1000))
    assert later["state"] == "alarm"
    assert later["alarm"]["detected_at"] == first["detected_at"]


def test_repeats_are_counted_and_ring_nothing(workdir, report):
    records = predictions(workdir, 300)
    again = [
        record | {"request_id": f"again{i}-{take}", "time": when(1000 + 5 * i + take)}
        for i, record in enumerate(records)
        for take in range(5)
    ]
    told = report(records + again)
    assert (told["state"], told["repeats"]) == ("ok", 1500)


def test_photos_of_another_kind_are_a_warning_and_no_alarm(workdir, report):
    black = {"mean": [0.0] * 3, "std": [0.0] * 3, "brightness": 0.0, "sharpness": 0.0}
    records = predictions(workdir, 400)
    for number, record in enumerate(records):
        record["image"] = black | {"brightness": number * 1e-6}
    told = report(records)
    assert told["state"] == "ok"
    assert {"brightness", "sharpness"} <= set(told["newest"]["warnings"])


def test_a_model_or_a_log_without_sharpness_is_not_warned_of_it(workdir, report):
    records = predictions(workdir, 400)
    for record in records:
        del record["image"]["sharpness"]
    told = report(records, draw=True)
    assert (told["state"], told["newest"]["warnings"]) == ("ok", [])


def test_accuracy_is_that_of_the_labels_that_came(workdir, report):
    records = predictions(workdir, 200)
    right = [feedback(i, records[i]["label"]) for i in range(30)]
    others = [feedback(i, other(workdir, records[i]["label"])) for i in range(30, 40)]
    newest = report([*records, *right, *others])["newest"]
    assert (newest["labelled"], newest["coverage"], newest["accuracy"]) == (40, 0.2, 0.75)
    assert newest["accuracy_low"] < 0.75 < newest["accuracy_high"]


def test_labels_that_show_harm_ring_although_the_answers_look_as_before(workdir, report):
    records = predictions(workdir, 200)
    told = report(
        [*records, *(feedback(i, other(workdir, records[i]["label"])) for i in range(150))]
    )
    assert told["verdict"]["word"] == "harmful"
    assert (told["state"], told["alarm"]["by"], told["alarm"]["kind"]) == (
        *("alarm", "labels", watch.WRONG),
    )
    assert list(told).index("verdict") < list(told).index("alarm")


def test_better_than_before_is_no_alarm(workdir, report):
    records = predictions(workdir, 400) + predictions(workdir, 600, 400, wrong=True)
    labels = [feedback(i, record["label"]) for i, record in enumerate(records)]
    told = report([*records, *labels])
    assert (told["verdict"]["word"], told["state"]) == ("better", "notice")
    assert told["alarm"]["by"] == "capital"


def minutes(text):
    return (np.datetime64(text) - np.datetime64("2026-01-01")) / np.timedelta64(1, "m")


def other(repo_copy, label):
    return next(c for c in card(repo_copy)["classes"] if c != label)


def test_the_same_snapshot_gives_the_same_bytes(workdir, report):
    report(predictions(workdir, 500), draw=True)
    before = [(workdir.path / name).read_bytes() for name in WRITTEN]
    workdir.run_stage("drift", **{f"drift.{key}": value for key, value in KNOBS.items()})
    assert [(workdir.path / name).read_bytes() for name in WRITTEN] == before


@pytest.mark.slow
def test_the_log_is_read_when_asked_to_and_no_model_is_trained(repo_copy):
    write(repo_copy, predictions(repo_copy, 1500, wrong=True))
    assert repo_copy.repro() == []
    assert refresh(repo_copy) == ["snapshot", "drift", "report"]
    assert figures(repo_copy, "drift")["state"] == "alarm"
    assert repo_copy.repro() == []
    changed = repo_copy.run("git", "diff", "--name-only").stdout.split()
    assert not any(name.startswith("metrics/train") for name in changed)


def test_the_reference_says_what_evaluate_measured(finished_run):
    with (finished_run.path / "metrics/predictions.csv").open() as file:
        rows = {row["row"]: row for row in csv.DictReader(file)}
    with (finished_run.path / "models/candidate/reference.csv").open() as file:
        reference = list(csv.DictReader(file))
    name = figures(finished_run, "promotion")["champion"]
    assert [line["row"] for line in reference] == list(rows)
    images = np.load(finished_run.path / "data/images.npy")
    for line in reference:
        row = rows[line["row"]]
        assert (line["group"], line["label"]) == (row["group"], row["label"])
        for c in card(finished_run)["classes"]:
            assert line[f"p_{c}"] == row[f"{name}_{c}"]
        red = images[int(line["row"]), ..., 0].mean() / 255
        assert float(line["image_mean_red"]) == pytest.approx(red, abs=1e-4)
