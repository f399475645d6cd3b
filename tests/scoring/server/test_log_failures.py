"""No prediction is sent without its record: the disk is full, too small or not there."""

import os
import resource
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.logged import read_records
from tests.scoring.server.service import running


def log_files(directory):
    """The files of today and, in case midnight comes, tomorrow."""
    days = [datetime.now(UTC).date() + timedelta(days=ahead) for ahead in (0, 1)]
    return [directory / f"{day}.jsonl" for day in days]


def refuses(service, photo):
    """Whether predictions, labels and readiness are refused, and the scorer is alive."""
    answer = service.predict(("a.jpg", photo))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    label = service.get("/version").json["classes"][0]
    recorded = service.send_label({"request_id": "a", "true_label": label})
    ready = service.get("/ready")
    assert "ok" not in ready.json["checks"]["log"].split()
    assert service.get("/health").status == 200
    return [answer.status, recorded.status, ready.status] == [503] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_refuses_predictions_until_there_is_room(place, photo):
    with running(place) as service:
        shutil.rmtree(place / "logs")
        (place / "logs").mkdir()
        for path in log_files(place / "logs"):
            path.symlink_to("/dev/full")
        assert refuses(service, photo)
        assert service.count("flowers_log_errors_total") >= 2
        for path in log_files(place / "logs"):
            path.unlink()
        assert service.get("/ready").status == 200
        answer = service.predict(("a.jpg", photo))
        assert answer.status == 200
        assert service.output.read_text().count("cannot be written") == 2
    assert [r["request_id"] for r in read_records(place / "logs")] == [answer.json["request_id"]]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no prlimit on this system")
def test_a_record_cut_short_is_refused_and_the_next_one_is_whole(place, photo):
    with running(place) as service:
        assert service.predict(("a.jpg", photo)).status == 200
        (path,) = (place / "logs").iterdir()
        size, hard = path.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (size + 100, hard))
        assert service.predict(("a.jpg", photo)).status == 503
        assert path.stat().st_size == size + 100
        assert refuses(service, photo)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert service.get("/ready").status == 200
        assert service.predict(("a.jpg", photo)).status == 200
    torn = []
    assert len(list(read_records(place / "logs", on_torn=torn.append))) == 2
    assert len(torn) == 1


def test_a_pipe_in_place_of_the_log_refuses_predictions(place, photo):
    with running(place) as service:
        shutil.rmtree(place / "logs")
        (place / "logs").mkdir()
        for path in log_files(place / "logs"):
            os.mkfifo(path)
        assert refuses(service, photo)
        for path in log_files(place / "logs"):
            path.unlink()
        assert service.predict(("a.jpg", photo)).status == 200
