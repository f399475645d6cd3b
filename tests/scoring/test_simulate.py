import shutil
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from flowers.base.tables import read_csv
from flowers.drift_simulation.shifts import IMAGE_SHIFTS, WITHOUT_TRUTH
from scoring import cli
from study.recipes import read_recipe
from tests.logged import read_records
from tests.stages.log_files import read_figures

main = partial(cli.call_command, cli.simulate, "python -m scoring.simulate")


@pytest.fixture
def folder(photos, tmp_path):
    """Photos in a folder per class."""
    for name, photo in photos.items():
        path = tmp_path / "photos" / name.partition("-")[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    return tmp_path / "photos"


@pytest.fixture
def simulate(service):
    """Run the simulation against the service; returns the logged predictions and feedback."""

    def run(*arguments):
        before = len(list(read_records(service.logs)))
        assert main(["--url", f"http://127.0.0.1:{service.port}", *map(str, arguments)]) == 0
        records = list(read_records(service.logs))[before:]
        return [[r for r in records if r["kind"] == kind] for kind in ("prediction", "feedback")]

    return run


def compare_digests(simulate, folder, count, *arguments):
    """Whether each photo has the same bytes without the arguments as with them."""
    plain, _ = simulate("--photos", folder, "-n", count)
    shifted, _ = simulate("--photos", folder, "-n", count, *arguments)
    return [a["photo_sha256"] == b["photo_sha256"] for a, b in zip(plain, shifted, strict=True)]


@pytest.mark.parametrize("shift", ["rotate", "unknown", "class-gone"])
def test_shifted_photos_are_predicted_and_labels_reported(simulate, folder, classes, shift):
    predictions, feedback = simulate("--photos", folder, "-n", 12, "--shift", shift)
    assert len(predictions) == 12
    with_truth = [] if shift in WITHOUT_TRUTH else predictions
    assert [r["request_id"] for r in with_truth] == [r["request_id"] for r in feedback]
    labels = {r["true_label"] for r in feedback}
    assert labels <= set(classes)
    assert shift != "class-gone" or classes[0] not in labels
    if shift in IMAGE_SHIFTS:
        plain, _ = simulate("--photos", folder, "-n", 12)
        for before, after in zip(plain, predictions, strict=True):
            sides = [[r["image"]["width"], r["image"]["height"]] for r in (before, after)]
            assert sides[0] == (sides[1][::-1] if shift == "rotate" else sides[1])
            assert before["photo_sha256"] != after["photo_sha256"]


@pytest.mark.parametrize("source", ["synthetic", None])
def test_photos_depend_on_the_seed(simulate, folder, source):
    first, second, again = (
        [r["probabilities"] for r in predictions]
        for predictions, _ in (
            simulate("--photos", source or folder, "-n", 5, "--seed", seed) for seed in (1, 2, 1)
        )
    )
    assert first == again != second


def test_a_broken_photo_is_skipped(simulate, folder):
    for path in sorted(folder.rglob("*.jpg"))[::2]:
        path.write_bytes(b"no photo")
    for shift in ((), ("--shift", "grey")):
        predictions, feedback = simulate("--photos", folder, "-n", 20, *shift)
        assert 0 < len(predictions) == len(feedback) < 20


def test_without_a_url_a_scorer_is_started(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert main(["-n", "2", "--photos", "synthetic"]) == 0
    kinds = [r["kind"] for r in read_records(place / "logs")]
    assert kinds == ["prediction", "feedback"] * 2
    assert "2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "http://127.0.0.1:9"],
        ["--photos", "nowhere"],
        ["--shift", "gray"],
        ["-n", "0"],
        ["--share", "0"],
        ["--share", "nan"],
        ["--seed", "one"],
        [],
    ],
)
def test_wrong_usage_exits_with_2_and_a_message(place, monkeypatch, capsys, arguments):
    monkeypatch.chdir(place)
    assert main(["-n", "1", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scoring.simulate: ")


def test_a_server_that_does_not_respond_is_named_with_a_short_reason(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert main(["-n", "1", "--photos", "synthetic", "--url", "http://127.0.0.1:9"]) == 2
    error = capsys.readouterr().err
    assert "http://127.0.0.1:9/predict failed (connection refused): start" in error


@pytest.mark.slow
def test_a_share_of_the_photos_is_shifted_at_once_or_gradually(simulate, folder):
    shift = ("--shift", "darker")
    assert sum(compare_digests(simulate, folder, 30, *shift)) == 0
    assert 5 <= sum(compare_digests(simulate, folder, 30, *shift, "--share", 0.5)) <= 25
    same = compare_digests(simulate, folder, 40, *shift, "--ramp", 40)
    assert sum(same[:20]) > sum(same[20:])


def test_a_photo_is_sent_unchanged_once_and_then_slightly_cropped(simulate, folder):
    predictions, _ = simulate("--photos", folder, "-n", 60)
    digests = [r["photo_sha256"] for r in predictions]
    files = {sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.jpg")}
    assert len(set(digests)) == 60
    assert set(digests[:5]) <= files < set(digests)


def test_by_default_the_test_photos_of_the_model_are_sent(simulate, workdir, monkeypatch):
    monkeypatch.chdir(workdir.path)
    predictions, _ = simulate("-n", 9)
    tested = set(read_csv("models/candidate/reference.csv")["sha256"])
    sent = [r["photo_sha256"] for r in predictions]
    assert len(sent) == 9 and set(sent) <= tested


def test_a_missing_test_photo_is_named(workdir, monkeypatch, capsys):
    monkeypatch.chdir(workdir.path)
    Path("data/photos", read_csv("models/candidate/reference.csv")["path"][0]).unlink()
    assert main(["-n", "2"]) == 2
    assert "data/photos" in capsys.readouterr().err


def test_photos_of_the_training_set_raise_a_warning(simulate, workdir, monkeypatch, capsys):
    monkeypatch.chdir(workdir.path)
    simulate("-n", 2, "--photos", "data/photos")
    assert "trained on" in capsys.readouterr().err


@pytest.mark.slow
def test_the_demonstration_raises_an_alert(fresh_repo, tmp_path):
    repo = fresh_repo.copy_to(tmp_path / "repository")
    few = {"fetch.per_class": 120, "resize.size": 64, "codebook.words": 16}
    repo.set_params(**read_recipe("fisher-small") | few)
    repo.run("dvc", "repro", "promote")
    for shift, alerts in ((), False), (("--shift", "grey"), True):
        shutil.rmtree(repo.path / "logs", ignore_errors=True)
        simulate = ("-m", "scoring", "simulate", "--photos", "synthetic", *shift)
        repo.run(sys.executable, *simulate)
        repo.run(sys.executable, "-m", "stages.snapshot")
        repo.run(sys.executable, "-m", "stages.drift")
        report = read_figures(repo, "drift")
        assert (report["alert"] is not None) == alerts
