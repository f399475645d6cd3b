import csv
import io
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from flowers.base.errors import RejectedImage
from scoring import cli
from scoring.predict import BATCH, MAX_FILE_BYTES, read_content
from tests.scoring.server.service import build_environment

main = partial(cli.call_command, cli.predict, "python -m scoring.predict")


@pytest.fixture
def files(tmp_path, photos):
    """A folder with photos, a folder with photos in it, and a hidden file."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name, photo in photos.items():
        (folder / ("more" if name.startswith("T") else ".") / name).write_bytes(photo)
    (folder / ".hidden").write_text("not a photo")
    return folder


def read_lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_predictions_are_those_of_the_server(service, candidate, files, photos, capsys):
    assert main([str(files), "--json", "--model", str(candidate)]) == 0
    lines = read_lines(capsys)
    assert len(lines) == len(photos)
    assert " ".join(lines[0]) == (
        "file label confidence confident typical probabilities model_role model_version"
    )
    for line in lines:
        name = line["file"].rpartition("/")[2]
        (served,) = service.predict((name, photos[name])).json["predictions"]
        assert line["label"] == served["label"]
        assert line["probabilities"] == pytest.approx(served["probabilities"], abs=1e-9)


def test_the_table_has_a_line_per_photo_under_the_names_of_the_classes(
    candidate, files, classes, capsys
):
    assert main([str(files / "more"), "--model", str(candidate)]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["label", *classes, "file"]
    assert len(rows) == 4
    assert main([str(files / "more"), "--json", "--model", str(candidate)]) == 0
    typical = [line["typical"] for line in read_lines(capsys)]
    assert [not row.endswith("  (like none of the classes)") for row in rows] == typical
    for row in rows:
        label, *probabilities, file = row.partition("  (")[0].split()
        assert float(probabilities[classes.index(label)]) == max(map(float, probabilities))
        assert file.startswith(str(files))


@pytest.mark.parametrize(
    "arguments",
    [["nothing.jpg"], ["empty"], ["--json"], [], [""], ["--json", "--csv", "."], ["--mode"]],
)
def test_wrong_usage_exits_with_2(candidate, tmp_path, monkeypatch, arguments, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main([*arguments, "--model", str(candidate)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scoring.predict: ")


def test_a_missing_model_or_a_malformed_setting_exits_with_2(
    candidate, files, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main([str(files)]) == 2
    assert "dvc repro" in capsys.readouterr().err
    assert main([str(files), "--model", "typo"]) == 2
    assert capsys.readouterr().err.endswith("no model in typo: check the path\n")
    monkeypatch.setenv("JOBS", "many")
    assert main([str(files), "--model", str(candidate)]) == 2
    assert "JOBS=many" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda card: card["golden"][0]["probabilities"].reverse(), "golden predictions differ"),
        (lambda card: card["golden"][0].update(file="nothing.jpg"), "nothing.jpg"),
        (lambda card: card["versions"].update(numpy="1.0.0"), "numpy 1.0.0 (installed: "),
        (lambda card: card["golden"].clear(), "no golden images"),
    ],
)
def test_a_model_that_fails_its_checks_classifies_nothing(place, files, edit, message, capsys):
    path = place / "models/candidate/card.json"
    card = json.loads(path.read_text())
    edit(card)
    path.write_text(json.dumps(card))
    arguments = [str(files / "Lotus-0.jpg"), "--json", "--model", str(path.parent)]
    code = main(arguments)
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert message in line and not output.out
    if card["golden"]:
        assert code == 1 and "--no-check" in line
        assert main([*arguments, "--no-check"]) == 0
        assert len(read_lines(capsys)) == 1
    else:
        assert code == main([*arguments, "--no-check"]) == 2


@pytest.mark.slow
def test_a_pipe_whose_reader_exits_is_no_error(candidate, files):
    command = [sys.executable, "-m", "scoring.predict", str(files), "--model", str(candidate)]
    with subprocess.Popen(
        command, env=build_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_batch_has_the_predictions_of_single_photos_in_the_order_of_the_files(
    candidate, files, photos, capsys, monkeypatch, jobs
):
    monkeypatch.setenv("JOBS", jobs)
    contents = [content for _, content in sorted(photos.items())]
    paths = [files / f"n{i:03d}.jpg" for i in range(2 * BATCH + 3)]
    for i, path in enumerate(paths):
        path.write_bytes(contents[i * 7 % len(contents)])
    paths[5].write_text("words")
    names = [str(path) for path in paths[::-1]]
    assert main([*names, "--json", "--model", str(candidate)]) == 1
    lines = read_lines(capsys)
    assert [line["file"] for line in lines] == [name for name in names if name != str(paths[5])]
    for line in lines[::5]:
        assert main([line["file"], "--json", "--model", str(candidate)]) == 0
        (single,) = read_lines(capsys)
        assert line["probabilities"] == pytest.approx(single["probabilities"], abs=1e-9)


def test_a_csv_has_a_row_per_photo_and_no_formula(candidate, files, classes, capsys, monkeypatch):
    monkeypatch.chdir(files)
    names = ('a, "b".jpg', "=1+1.jpg", "@x.jpg")
    for name in names:
        shutil.copy("Lotus-0.jpg", name)
    assert main([*names, ".", "--csv", "--model", str(candidate)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert list(rows[0]) == ["file", "label", "confidence", "typical", *classes]
    assert [row["file"] for row in rows[:3]] == ['a, "b".jpg', "'=1+1.jpg", "'@x.jpg"]
    for row in rows:
        probabilities = {name: float(row[name]) for name in classes}
        assert sum(probabilities.values()) == pytest.approx(1)
        assert row["typical"] in "01"
        assert float(row["confidence"]) == max(probabilities.values()) == float(row[row["label"]])


def test_a_malformed_file_in_a_folder_stops_no_other(candidate, files, tmp_path):
    photo = (files / "Lotus-0.jpg").read_bytes()
    folder = tmp_path / "mixed"
    (folder / "folder.jpg").mkdir(parents=True)
    names = [b"a.jpg", b"\xff\xfe.jpg", "é.jpg".encode(), b"two\nlines.jpg", b"z.jpg"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(photo)
    malformed = {"cut.jpg": photo[: len(photo) // 2], "empty.jpg": b"", "words.png": b"words"}
    for name, content in malformed.items():
        (folder / name).write_bytes(content)
    with (folder / "huge.jpg").open("wb") as file:
        file.write(photo)
        file.truncate(MAX_FILE_BYTES + 1)
    os.mkfifo(folder / "fifo.jpg")
    for name, target in {"dangling": "nowhere", "loop": ".", "device": "/dev/zero"}.items():
        (folder / f"{name}.jpg").symlink_to(target)
    command = [sys.executable, "-m", "scoring.predict", str(folder), "--csv", "--model"]
    strict = build_environment() | {"PYTHONIOENCODING": "utf-8:strict"}
    process = subprocess.run(
        [*command, str(candidate)], env=strict, capture_output=True, timeout=60
    )
    assert process.returncode == 1
    table = csv.DictReader(io.StringIO(os.fsdecode(process.stdout), newline=""))
    rows = {os.fsencode(row["file"]).rpartition(b"/")[2]: row for row in table}
    assert list(rows) == sorted(names, key=os.fsdecode)
    assert len({tuple(row.values())[1:] for row in rows.values()}) == 1
    lines = process.stderr.decode().splitlines()
    assert all(any(name in line for line in lines) for name in (*malformed, "huge.jpg"))
    assert len(lines) == 4 and "not a JPEG, PNG or WEBP" in lines[-1]


def test_an_endless_device_is_too_large(monkeypatch):
    monkeypatch.setattr("scoring.predict.MAX_FILE_BYTES", 1000)
    with pytest.raises(RejectedImage, match="too large"):
        read_content(Path("/dev/zero"))
