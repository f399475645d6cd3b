import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowers.base.errors import RejectedImage
from scoring.predict import BATCH, LARGEST, main, read_content
from tests.scoring.server.service import environment


@pytest.fixture
def files(tmp_path, photos):
    """A folder with a folder in it, both with photos, and a hidden file."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, photo in photos.items():
        (folder / ("more" if name.startswith("T") else ".") / name).write_bytes(photo)
    (folder / ".hidden").write_text("not looked at")
    return folder


def answers(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_its_answers_are_those_of_the_server(service, candidate, files, photos, capsys):
    assert main([str(files), "--json", "--model", str(candidate)]) == 0
    found = answers(capsys)
    assert len(found) == len(photos)
    for local in found:
        name = local["file"].rpartition("/")[2]
        served = service.predict((name, photos[name])).json
        assert local["label"] == served["label"]
        assert local["probabilities"] == pytest.approx(served["probabilities"], abs=1e-9)
        assert local.keys() == served["predictions"][0].keys() - {"request_id"}


def test_a_rejected_photo_is_named_and_the_others_are_answered(candidate, files, capsys):
    (files / "a.txt").write_text("words")
    one = str(files / "Lotus-0.jpg")
    assert main([str(files / "a.txt"), one, "--json", "--model", str(candidate)]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["file"] == one
    (line,) = output.err.splitlines()
    assert "a.txt" in line and "not a JPEG, PNG or WEBP" in line


def test_the_table_has_a_line_per_photo_under_the_names_of_the_classes(
    candidate, files, classes, capsys
):
    assert main([str(files / "more"), "--model", str(candidate)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["label", *classes, "file"]
    assert len(rows) == 4
    for row in rows:
        label, *shares, file = row.split()
        assert label == classes[max(range(len(classes)), key=lambda i, s=shares: float(s[i]))]
        assert file.startswith(str(files))


@pytest.mark.parametrize("arguments", [["nothing.jpg"], ["empty"], ["--json"], []])
def test_wrong_usage_ends_with_2(candidate, tmp_path, monkeypatch, arguments, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    try:
        status = main([*arguments, "--model", str(candidate)])
    except SystemExit as error:  # argparse itself
        status = error.code
    assert status == 2
    assert capsys.readouterr().err


def test_a_missing_model_ends_with_2_and_says_what_to_do(files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(files)]) == 2
    assert "dvc repro" in capsys.readouterr().err


def test_it_runs_as_a_command_and_ends_quietly_when_its_reader_has_enough(candidate, files):
    command = [sys.executable, "-m", "scoring.predict", str(files), "--model", str(candidate)]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_batch_gets_the_answers_of_single_photos_in_the_order_of_the_files(
    candidate, files, photos, capsys, monkeypatch, jobs
):
    monkeypatch.setenv("JOBS", jobs)
    many, contents = [], sorted(photos.items())
    for i in range(2 * BATCH + 3):
        many.append(files / f"n{i:03d}.jpg")
        many[-1].write_bytes(contents[i * 7 % len(contents)][1])
    many[5].write_text("words")
    names = [str(path) for path in many[::-1]]
    assert main([*names, "--json", "--model", str(candidate)]) == 1
    found = answers(capsys)
    assert [one["file"] for one in found] == [name for name in names if name != str(many[5])]
    for one in found[::5]:
        assert main([one["file"], "--json", "--model", str(candidate)]) == 0
        (alone,) = answers(capsys)
        assert one["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-9)


def test_a_csv_has_a_row_per_photo_that_a_reader_takes_back(candidate, files, classes, capsys):
    odd = files / 'a, "b".jpg'
    odd.write_bytes((files / "Lotus-0.jpg").read_bytes())
    assert main([str(files), "--csv", "--model", str(candidate)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == ["file", "label", "confidence", *classes]
    assert str(odd) in [row["file"] for row in rows]
    for row in rows:
        shares = {name: float(row[name]) for name in classes}
        assert sum(shares.values()) == pytest.approx(1)
        assert float(row["confidence"]) == max(shares.values()) == shares[row["label"]]


def test_a_number_of_workers_that_is_none_ends_with_2(candidate, files, monkeypatch, capsys):
    monkeypatch.setenv("JOBS", "many")
    assert main([str(files), "--model", str(candidate)]) == 2
    assert "JOBS=many" in capsys.readouterr().err


def test_a_hostile_file_in_a_folder_costs_no_other_its_answer(candidate, files, tmp_path):
    good = (files / "Lotus-0.jpg").read_bytes()
    hostile = tmp_path / "hostile"
    (hostile / "folder.jpg").mkdir(parents=True)
    names = [
        b"a.jpg",
        b"\xff\xfe.jpg",
        "é.jpg".encode(),
        b"two\nlines.jpg",
        b"=1+1|x.jpg",
        b"z.jpg",
    ]
    for name in names:
        (hostile / os.fsdecode(name)).write_bytes(good)
    bad = {"cut.jpg": good[: len(good) // 2], "empty.jpg": b"", "words.png": b"words"}
    for name, content in bad.items():
        (hostile / name).write_bytes(content)
    with (hostile / "huge.jpg").open("wb") as file:
        file.write(good)
        file.truncate(LARGEST + 1)
    os.mkfifo(hostile / "fifo.jpg")
    for name, target in {"dangling": "nowhere", "loop": ".", "device": "/dev/zero"}.items():
        (hostile / f"{name}.jpg").symlink_to(target)
    command = [sys.executable, "-m", "scoring.predict", str(hostile), "--csv", "--model"]
    strict = environment() | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([*command, str(candidate)], env=strict, capture_output=True, timeout=60)
    assert done.returncode == 1
    table = csv.DictReader(io.StringIO(os.fsdecode(done.stdout), newline=""))
    rows = {os.fsencode(row["file"]).rpartition(b"/")[2]: row for row in table}
    assert list(rows) == sorted(names, key=os.fsdecode)
    assert len({tuple(row.values())[1:] for row in rows.values()}) == 1
    said = done.stderr.decode().splitlines()
    assert [any(name in line for line in said) for name in (*bad, "huge.jpg")] == [True] * 4
    assert len(said) == 4


def test_a_device_without_end_is_a_file_that_is_too_large(monkeypatch):
    monkeypatch.setattr("scoring.predict.LARGEST", 1000)
    with pytest.raises(RejectedImage, match="too large"):
        read_content(Path("/dev/zero"))


def test_an_empty_name_is_no_folder(capsys):
    with pytest.raises(SystemExit):
        main([""])
    assert "a name is empty" in capsys.readouterr().err
