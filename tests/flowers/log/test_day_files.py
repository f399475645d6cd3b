import itertools
import json
import os
import subprocess
import sys

import pytest

from flowers.log import day_files
from tests.logged import read_records
from tests.scoring.server.service import build_environment

WRITER = """
import itertools, os, sys
from flowers.log import day_files, record
for number in itertools.count():
    name = f"{os.getpid()}-{number}"
    line = {"time": record.format_now(), "kind": "prediction", "request_id": name}
    line["padding"] = "x" * 900
    day_files.append_records(sys.argv[1], [line])
    os.write(1, f"{name}\\n".encode())
"""


def make_feedback(day, name):
    return {"time": f"{day}T12:00:00.000000+00:00", "kind": "feedback", "request_id": name}


def read_names(directory, **options):
    return [record["request_id"] for record in read_records(directory, **options)]


def test_torn_lines_are_skipped_and_the_next_record_is_complete(tmp_path):
    record = make_feedback("2026-01-01", "a")
    torn_lines = []
    day_files.append_records(tmp_path, [record])
    path = tmp_path / "2026-01-01.jsonl"
    torn = json.dumps(record)[:-7].encode()
    for piece in (torn, torn[:1], b'\n{"time": 1}', b"\n\xff\xfe", b"\n7"):
        with path.open("ab") as file:
            file.write(piece)
        day_files.append_records(tmp_path, [record])
    assert read_names(tmp_path, on_torn=torn_lines.append) == ["a"] * 6
    lines = path.read_bytes().split(b"\n")
    assert len(torn_lines) == 5
    assert all(lines[number - 1] and file == path for file, number in torn_lines)


def test_a_check_leaves_nothing_to_read(tmp_path):
    torn_lines = []
    day_files.check_writable(tmp_path)
    day_files.append_records(tmp_path, [make_feedback("2026-01-01", "a")])
    day_files.check_writable(tmp_path)
    assert read_names(tmp_path, on_torn=torn_lines.append) == ["a"]
    assert not torn_lines


def test_records_are_appended_to_the_file_of_their_day_by_one_write_each(tmp_path):
    assert read_names(tmp_path / "none") == []
    size = 0
    for day, names in [("01", "ab"), ("02", "c"), ("01", "def"), ("02", "g")]:
        records = [make_feedback(f"2026-01-{day}", name) for name in names]
        size += day_files.append_records(tmp_path, records)
    assert read_names(tmp_path) == list("abdefcg")
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == ["2026-01-01.jsonl", "2026-01-02.jsonl"]
    files = [path.read_bytes() for path in paths]
    assert size == sum(map(len, files))
    # A write begins and ends with a line end, so a second one leaves an empty line.
    assert all(file.startswith(b"\n{") and file.count(b"\n\n") == 1 for file in files)


def test_a_day_file_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "2026-01-02.jsonl").mkdir()
    with pytest.raises(OSError):
        day_files.append_records(tmp_path, [make_feedback("2026-01-02", "a")])


def test_a_number_that_json_does_not_know_is_refused(tmp_path):
    record = make_feedback("2026-01-01", "a") | {"confidence": float("nan")}
    with pytest.raises(ValueError):
        day_files.append_records(tmp_path, [record])
    assert read_names(tmp_path) == []


def test_killed_writers_lose_no_acknowledged_record(tmp_path):
    def start():
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        return subprocess.Popen(command, env=build_environment(), stdout=subprocess.PIPE, text=True)

    acknowledged = []
    for _ in range(2):
        writers = [start() for _ in range(4)]
        for writer in writers:
            acknowledged += itertools.islice(writer.stdout, 50)
        for writer in writers:
            writer.kill()
        for writer in writers:
            rest, _ = writer.communicate()
            acknowledged += [line for line in rest.splitlines(keepends=True) if line[-1] == "\n"]
    names = read_names(tmp_path)
    assert len(acknowledged) >= 8 * 50
    assert {line.strip() for line in acknowledged} <= set(names)
    assert len(names) == len(set(names))


def test_the_directory_entry_of_a_file_made_by_another_process_is_synced_once(
    tmp_path, monkeypatch
):
    (tmp_path / "2026-01-01.jsonl").touch()
    synced = []
    fsync = os.fsync

    def record_sync(handle):
        synced.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(day_files.os, "fsync", record_sync)
    for name in "ab":
        day_files.append_records(tmp_path, [make_feedback("2026-01-01", name)])
    assert synced.count(tmp_path.stat().st_ino) == 1
