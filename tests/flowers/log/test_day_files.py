import itertools
import json
import os
import subprocess
import sys

import pytest

from flowers.log import day_files
from tests.logged import records
from tests.scoring.server.service import environment

WRITER = """
import itertools, os, sys
from flowers.log import day_files, record
from tests.logged import records
for number in itertools.count():
    name = f"{os.getpid()}-{number}"
    line = {"time": record.format_now(), "kind": "prediction", "request_id": name}
    line["padding"] = "x" * 900
    day_files.append_records(sys.argv[1], [line])
    os.write(1, f"{name}\\n".encode())
"""


def feedback(day, name):
    return {"time": f"{day}T12:00:00.000000+00:00", "kind": "feedback", "request_id": name}


def names(directory, **options):
    return [record["request_id"] for record in records(directory, **options)]


def test_records_come_back_day_by_day_from_files_of_their_day(tmp_path):
    day_files.append_records(tmp_path, [feedback("2026-01-02", "b"), feedback("2026-01-02", "c")])
    day_files.append_records(tmp_path, [feedback("2026-01-01", "a")])
    day_files.append_records(tmp_path, [feedback("2026-01-02", "d")])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2026-01-01.jsonl", "2026-01-02.jsonl"]
    assert names(tmp_path) == ["a", "b", "c", "d"]


def test_no_directory_is_a_log_without_records(tmp_path):
    assert names(tmp_path / "none") == []


def test_torn_lines_are_skipped_and_named_and_the_next_record_is_whole(tmp_path):
    whole = feedback("2026-01-01", "a")
    day_files.append_records(tmp_path, [whole])
    path = tmp_path / "2026-01-01.jsonl"
    torn = json.dumps(whole)[:-7].encode()
    for piece in (torn, torn[:1], b'\n{"time": 1}', b"\n\xff\xfe", b"\n7"):
        with path.open("ab") as file:
            file.write(piece)
        day_files.append_records(tmp_path, [whole])
    found = []
    assert names(tmp_path, on_torn=found.append) == ["a"] * 6
    assert len(found) == 5
    lines = path.read_bytes().split(b"\n")
    assert all(lines[number - 1] and place == path for place, number in found)


def test_a_probe_leaves_nothing_to_read(tmp_path):
    day_files.check_writable(tmp_path)
    day_files.append_records(tmp_path, [feedback("2026-01-01", "a")])
    day_files.check_writable(tmp_path, 100)
    found = []
    assert names(tmp_path, on_torn=found.append) == ["a"]
    assert not found


def test_what_many_log_together_is_one_write_a_day_and_nobodys_lines_are_parted(tmp_path):
    asked = [("2026-01-01", "ab"), ("2026-01-02", "c"), ("2026-01-01", "def"), ("2026-01-02", "g")]
    entries = [
        day_files.serialise_records([feedback(day, name) for name in some]) for day, some in asked
    ]
    written = day_files.append_lines(tmp_path, entries)
    assert names(tmp_path) == list("abdefcg")
    files = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert written == sum(map(len, files))
    # A write begins and ends with a line end, so a second one leaves an empty line.
    assert all(file.startswith(b"\n{") and b"\n\n" not in file for file in files)


def test_what_many_log_together_fails_for_all_if_one_file_cannot_be_written(tmp_path):
    (tmp_path / "2026-01-02.jsonl").mkdir()
    entries = [day_files.serialise_records([feedback(f"2026-01-0{day}", "a")]) for day in (1, 2, 3)]
    with pytest.raises(OSError):
        day_files.append_lines(tmp_path, entries)


def test_a_number_that_json_does_not_know_is_refused(tmp_path):
    with pytest.raises(ValueError):
        day_files.append_records(
            tmp_path, [feedback("2026-01-01", "a") | {"confidence": float("nan")}]
        )
    assert names(tmp_path) == []


def test_four_writers_that_are_killed_lose_no_acknowledged_record(tmp_path):
    def start():
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)

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
    acknowledged = [line.strip() for line in acknowledged]
    assert len(acknowledged) >= 8 * 50
    logged = names(tmp_path)
    assert set(acknowledged) <= set(logged)
    assert len(logged) == len(set(logged))


def test_a_file_that_another_has_just_made_is_named_on_the_disk_before_it_is_relied_on(
    tmp_path, monkeypatch
):
    (tmp_path / "2026-01-01.jsonl").touch()
    synced, fsync = [], os.fsync

    def seen(handle):
        synced.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(day_files.os, "fsync", seen)
    for name in "ab":
        day_files.append_records(tmp_path, [feedback("2026-01-01", name)])
    assert synced.count(tmp_path.stat().st_ino) == 1
