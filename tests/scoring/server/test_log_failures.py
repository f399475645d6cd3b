"""No answer without its record: the disk is full, too small, slow, or not there."""

import errno
import os
import resource
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowers.log import day_files, record
from scoring.server.problems import Problem
from scoring.server.scorer import Scorer
from scoring.server.settings import Settings
from tests.logged import records
from tests.scoring.server.service import running, until
from tests.scoring.server.threads import started


def log_files(directory):
    """The files of today and, in case midnight comes, tomorrow."""
    days = [datetime.now(UTC).date() + timedelta(days=ahead) for ahead in (0, 1)]
    return [directory / f"{day}.jsonl" for day in days]


def refuses(service, photo):
    """Whether answers and readiness are refused, and being alive is not."""
    answer = service.predict(("a.jpg", photo))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    told = service.tell(
        {"request_id": "a", "true_label": service.get("/version").json["classes"][0]}
    )
    ready = service.get("/ready")
    assert "ok" not in ready.json["checks"]["log"].split()
    assert service.get("/health").status == 200
    return [answer.status, told.status, ready.status] == [503] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_refuses_answers_until_there_is_room(place, photo):
    logs = place / "logs"
    logs.mkdir()
    for path in log_files(logs):
        path.symlink_to("/dev/full")
    with running(place) as service:
        assert refuses(service, photo)
        assert service.count("flowers_log_errors_total") >= 3
        assert service.count("flowers_ready") == 0
        for path in log_files(logs):
            path.unlink()
        assert service.get("/ready").status == 200
        answer = service.predict(("a.jpg", photo))
        assert answer.status == 200
    assert [r["request_id"] for r in records(logs)] == [answer.json["request_id"]]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no prlimit on this system")
def test_a_record_cut_short_is_refused_and_the_next_one_is_whole(place, photo):
    with running(place) as service:
        assert service.predict(("a.jpg", photo)).status == 200
        (path,) = (place / "logs").iterdir()
        size, hard = path.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(service.worker, resource.RLIMIT_FSIZE, (size + 100, hard))
        assert service.predict(("a.jpg", photo)).status == 503
        assert path.stat().st_size == size + 100
        assert refuses(service, photo)
        resource.prlimit(service.worker, resource.RLIMIT_FSIZE, (hard, hard))
        assert service.get("/ready").status == 200
        assert service.predict(("a.jpg", photo)).status == 200
    torn = []
    assert len(list(records(place / "logs", on_torn=torn.append))) == 2
    assert len(torn) == 1


@pytest.mark.slow
def test_a_log_directory_that_cannot_be_made_refuses_answers(place, photo):
    (place / "logs").write_text("a file, where the directory should be")
    with running(place) as service:
        assert refuses(service, photo)


def test_a_pipe_in_place_of_the_log_refuses_answers_and_nobody_waits_for_its_reader(place, photo):
    (place / "logs").mkdir()
    for path in log_files(place / "logs"):
        os.mkfifo(path)
    with running(place) as service:
        assert refuses(service, photo)
        for path in log_files(place / "logs"):
            path.unlink()
        assert service.predict(("a.jpg", photo)).status == 200


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_log_directory_refuses_answers(place, photo):
    (place / "logs").mkdir(mode=0o500)
    with running(place) as service:
        assert refuses(service, photo)


class Disk:
    """A disk that keeps what it is given when the test says so, or fails."""

    def __init__(self, monkeypatch):
        self.syncs, self.go, self.fails = 0, threading.Semaphore(0), False
        self._sync = day_files._sync
        monkeypatch.setattr(day_files, "_sync", self)

    def __call__(self, file):
        self.syncs += 1
        assert self.go.acquire(timeout=60)
        if self.fails:
            raise OSError(errno.EIO, "the disk has failed")
        self._sync(file)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


@pytest.fixture
def scorer(candidate, tmp_path):
    logs = tmp_path / "logs"
    return Scorer(
        replace(Settings(), model_dir=candidate, log_dir=logs, canary_dir=tmp_path / "none")
    )


DAY = {"time": "2026-01-02T12:00:00.000000+00:00"}
FIRST, REST = [("first", 0)], [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("c", 0), ("c", 1)]


def written_together(scorer, disk):
    """Futures of writes: the first is at the disk, the others wait."""
    futures = []
    for waiting, (name, size) in enumerate((("first", 1), ("a", 3), ("b", 1), ("c", 2))):
        lines = [record.build_feedback_record(name, index, "Lotus") | DAY for index in range(size)]
        futures.append(started(scorer.write, lines))
        until(lambda n=waiting: disk.syncs == 1 and len(scorer._append._waiting) == n)
    return futures


def logged(directory):
    return [(r["request_id"], r["index"]) for r in records(directory)]


def test_who_waits_for_the_log_shares_a_write_and_is_told_after_its_sync(scorer, disk, tmp_path):
    first, *others = written_together(scorer, disk)
    assert not first.done()
    disk.go.release()
    first.result(60)
    until(lambda: disk.syncs == 2)
    assert logged(tmp_path / "logs") == FIRST + REST  # written, and yet nobody is told
    assert not any(future.done() for future in others)
    disk.go.release()
    for future in others:
        future.result(60)
    assert disk.syncs == 2
    written = sum(path.stat().st_size for path in (tmp_path / "logs").iterdir())
    assert scorer.metrics.log_bytes._value.get() == written


def test_a_sync_that_fails_refuses_all_that_share_it_and_nobody_after(scorer, disk, tmp_path):
    first, *others = written_together(scorer, disk)
    disk.go.release()
    first.result(60)
    until(lambda: disk.syncs == 2)
    disk.fails = True
    disk.go.release()
    for future in others:
        with pytest.raises(Problem) as refused:
            future.result(60)
        assert refused.value.status == 503
    disk.fails = False
    disk.go.release()
    started(scorer.write, [record.build_feedback_record("after", 0, "Lotus") | DAY]).result(60)
    assert logged(tmp_path / "logs")[-1] == ("after", 0)
    assert scorer.metrics.log_errors._value.get() == len(others)


def test_a_record_that_is_no_json_is_refused_alone(scorer, disk, tmp_path):
    futures = written_together(scorer, disk)
    wrong = record.build_feedback_record("wrong", 0, "Lotus") | {"number": float("nan")}
    with pytest.raises(ValueError):
        started(scorer.write, [wrong]).result(60)
    disk.go.release(2)
    for future in futures:
        future.result(60)
    assert logged(tmp_path / "logs") == FIRST + REST
