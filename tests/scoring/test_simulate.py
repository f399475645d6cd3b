import csv
import json
from hashlib import sha256

import numpy as np
import pytest

from flowers.drift_simulation.shifts import NAMES, OF_PIXELS, WITHOUT_ANSWER
from scoring.simulate import main
from tests.logged import records as logged


@pytest.fixture
def folder(photos, tmp_path):
    """Photos by class, and a broken one."""
    for name, photo in photos.items():
        path = tmp_path / "photos" / name.partition("-")[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    return tmp_path / "photos"


@pytest.fixture
def asked(service):
    """Runs it against the service; gives the records that came."""
    url = f"http://127.0.0.1:{service.port}"

    def run(*arguments):
        before = len(list(logged(service.logs)))
        assert main(["--url", url, *map(str, arguments)]) == 0
        records = list(logged(service.logs))[before:]
        return [[r for r in records if r["kind"] == kind] for kind in ("prediction", "feedback")]

    return run


@pytest.mark.parametrize("shift", NAMES)
def test_every_answer_is_logged_and_its_true_label_told(asked, folder, classes, shift):
    predictions, labels = asked("--photos", folder, "-n", 12, "--shift", shift)
    asked_about = [] if shift in WITHOUT_ANSWER else [r["request_id"] for r in predictions]
    assert asked_about == [r["request_id"] for r in labels]
    assert len(predictions) == 12
    if not labels:
        return
    told = {r["true_label"] for r in labels}
    assert told <= set(classes) and (classes[0] in told) <= (shift != "class-gone")


@pytest.mark.parametrize("shift", OF_PIXELS)
def test_a_shift_of_pixels_reaches_the_scorer(asked, folder, shift):
    plain, _ = asked("--photos", folder, "-n", 6)
    moved, _ = asked("--photos", folder, "-n", 6, "--shift", shift)
    for before, after in zip(plain, moved, strict=True):
        sides = [[r["image"]["width"], r["image"]["height"]] for r in (before, after)]
        assert sides[0] == (sides[1][::-1] if shift == "rotate" else sides[1])
        assert before["photo_sha256"] != after["photo_sha256"]


def test_drawn_photos_are_others_than_those_of_another_seed(asked):
    first, second, again = (
        asked("--photos", "synthetic", "-n", 3, "--seed", seed)[0] for seed in (1, 2, 1)
    )
    seen = [[r["probabilities"] for r in records] for records in (first, second, again)]
    assert seen[0] == seen[2] != seen[1]


def test_a_broken_photo_is_passed_over(asked, folder):
    for path in sorted(folder.rglob("*.jpg"))[::2]:
        path.write_bytes(b"no photo")
    for shift in ((), ("--shift", "grey")):
        predictions, labels = asked("--photos", folder, "-n", 20, *shift)
        assert 0 < len(predictions) == len(labels) < 20


def test_without_a_url_it_brings_a_scorer_of_its_own(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert main(["-n", "2", "--photos", "synthetic"]) == 0
    records = list(logged(place / "logs"))
    assert [r["kind"] for r in records] == ["prediction", "feedback"] * 2
    assert "2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "http://127.0.0.1:9"],
        ["--photos", "nowhere"],
        ["--shift", "gray"],
        ["-n", "0"],
        ["--share", "0"],
        [],
    ],
)
def test_wrong_usage_ends_with_2_and_a_word(place, monkeypatch, capsys, arguments):
    monkeypatch.chdir(place)
    try:
        status = main(["-n", "1", *arguments])
    except SystemExit as error:  # argparse itself
        status = error.code
    assert status == 2
    assert capsys.readouterr().err


def test_without_a_model_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["-n", "1"]) == 2
    assert "dvc repro" in capsys.readouterr().err


def test_the_same_seed_asks_about_the_same_photos(asked, folder):
    runs = [asked("--photos", folder, "-n", 5)[0] for _ in range(2)]
    assert np.array_equal(*([json.dumps(r["probabilities"]) for r in run] for run in runs))


@pytest.mark.parametrize("share", [0.5, 1])
def test_a_share_of_the_photos_is_shifted_and_the_others_are_sent_as_they_are(asked, folder, share):
    plain, moved = (
        asked("--photos", folder, "-n", 30, *more)[0]
        for more in ((), ("--shift", "darker", "--share", share))
    )
    same = [a["photo_sha256"] == b["photo_sha256"] for a, b in zip(plain, moved, strict=True)]
    assert sum(same) == 0 if share == 1 else 5 <= sum(same) <= 25


def test_a_slow_shift_comes_up_over_the_photos(asked, folder):
    plain, moved = (
        asked("--photos", folder, "-n", 40, *more)[0]
        for more in ((), ("--shift", "darker", "--slow", 40))
    )
    same = [a["photo_sha256"] == b["photo_sha256"] for a, b in zip(plain, moved, strict=True)]
    assert sum(same[:20]) > sum(same[20:])


def test_a_photo_is_sent_as_it_is_once_and_then_with_a_little_cut_off(asked, folder):
    sent, _ = asked("--photos", folder, "-n", 60)
    digests = [r["photo_sha256"] for r in sent]
    files = {sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.jpg")}
    assert len(set(digests)) == 60
    assert set(digests[:5]) <= files < set(digests)


def test_by_default_it_sends_the_photos_that_the_model_was_tested_on(workdir, monkeypatch):
    monkeypatch.chdir(workdir.path)
    assert main(["-n", "9"]) == 0
    tested = {row["sha256"] for row in reference(workdir)}
    sent = [r["photo_sha256"] for r in logged(workdir.path / "logs") if r["kind"] == "prediction"]
    assert len(sent) == 9 and set(sent) <= tested


def test_held_out_photos_that_are_not_there_are_named(workdir, monkeypatch, capsys):
    monkeypatch.chdir(workdir.path)
    (workdir.path / "data/photos" / reference(workdir)[0]["path"]).unlink()
    assert main(["-n", "2"]) == 2
    assert "data/photos" in capsys.readouterr().err


def test_photos_that_the_model_has_learnt_are_said_to_look_too_good(workdir, monkeypatch, capsys):
    monkeypatch.chdir(workdir.path)
    assert main(["-n", "2", "--photos", "data/photos"]) == 0
    assert "learnt" in capsys.readouterr().err


def reference(repo_copy):
    with (repo_copy.path / "models/candidate/reference.csv").open() as file:
        return list(csv.DictReader(file))
