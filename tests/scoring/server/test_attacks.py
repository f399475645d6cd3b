"""No client breaks the scorer or keeps others waiting, and every prediction is in the log."""

import http.client
import os
import re
import shutil
import socket
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from scoring.server.settings import EXPENSIVE_PLACES, Settings
from tests.flowers.images.photo_files import encode_image
from tests.logged import read_records
from tests.scoring.server.hostile import HTTP, build_corpus, build_request
from tests.scoring.server.service import PATIENCE, Answer, repeat, run_server

MAX_GROWTH = 150  # MB
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
BEGINNING = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture(scope="module", name="attacked")
def run_attacked(candidate, tmp_path_factory):
    """Run a server for all attacks."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(candidate, folder / "models" / "candidate")
    with run_server(folder, MAX_UPLOAD_MB="2", MAX_FILES="4") as service:
        yield service


def send(port, data):
    """Send bytes that need not be a request; return None if the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was read
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException):
            return None


def find_fault(answer, statuses):
    """Return what is wrong with a response, or None."""
    if answer is None:
        return None if None in statuses else "no response"
    if answer.status not in statuses:
        return f"status {answer.status}: {answer.body[:200]}"
    request_id = answer.headers.get("X-Request-Id", "")
    if not REQUEST_ID.fullmatch(request_id):
        return None if HTTP in statuses and not request_id else f"request id {request_id}"
    if answer.status >= 400:
        if answer.headers["Content-Type"] != "application/problem+json":
            return f"content type {answer.headers['Content-Type']}"
        if (answer.json["status"], answer.json["request_id"]) != (answer.status, request_id):
            return f"problem {answer.json}"
    return None


def read_memory(pid):
    """Read the resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1e3


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from /proc")
@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_hostile_requests_get_problems_and_change_no_other_response(attacked, photo, rounds):
    probabilities = attacked.predict(("a.jpg", photo)).json["predictions"][0]["probabilities"]
    memory = read_memory(attacked.pid)
    requests = list(build_corpus(photo)) * rounds
    faults = {}
    for name, data, statuses in requests:
        if fault := find_fault(send(attacked.port, data), statuses):
            faults[name] = fault
        (prediction,) = attacked.predict(("a.jpg", photo)).json["predictions"]
        assert prediction["probabilities"] == probabilities, name
    assert len(requests) > 150 and not faults
    assert "Traceback" not in attacked.output.read_text()
    assert read_memory(attacked.pid) - memory < MAX_GROWTH


def connect(stack, service, data=b""):
    """Open a connection with a small receive buffer, and send without reading."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", service.port))
    connection.sendall(data)
    return connection


def time_health(service):
    start = time.monotonic()
    assert service.get("/health").status == 200
    return time.monotonic() - start


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/openapi.json", "/static/icon.svg"])
def test_clients_that_pipeline_and_never_read_hold_no_thread_and_no_file(attacked, path):
    time_health(attacked)
    files = len(os.listdir(f"/proc/{attacked.pid}/fd"))
    connections = 2 * Settings().threads
    with ExitStack() as stack:
        for _ in range(connections):
            connect(stack, attacked, 300 * build_request("GET", path))
        time.sleep(2)
        assert min(time_health(attacked) for _ in range(10)) < 1
        assert len(os.listdir(f"/proc/{attacked.pid}/fd")) < files + connections + 40
    assert min(time_health(attacked) for _ in range(10)) < 1


def test_slow_and_silent_connections_keep_no_other_client_waiting(attacked, photo):
    with ExitStack() as stack:
        held = [connect(stack, attacked, data) for data in 100 * (b"G", b"", BEGINNING)]
        for _ in range(10):
            for connection in held[::3]:
                connection.sendall(b"x")
            assert time_health(attacked) < 5
            assert attacked.predict(("a.jpg", photo)).status == 200


@pytest.mark.slow
def test_clients_with_large_images_get_429_and_those_with_small_ones_are_served(place, photo):
    large = encode_image(Image.effect_noise((5000, 4000), 60), "JPEG", quality=30)
    statuses = []
    with run_server(place) as service:

        def upload():
            statuses.append(service.predict(("a.jpg", large)).status)

        with repeat(upload, EXPENSIVE_PLACES + 12):
            small = [service.predict(("a.jpg", photo)).status for _ in range(40)]
    assert small.count(200) >= 38
    assert set(statuses) == {200, 429}


def list_log_files(directory):
    """List the file of today and, in case midnight comes, that of tomorrow."""
    days = [datetime.now(UTC).date() + timedelta(days=ahead) for ahead in (0, 1)]
    return [directory / f"{day}.jsonl" for day in days]


def assert_refuses(service, photo):
    """Predictions, labels and readiness are refused, and the scorer is alive."""
    answer = service.predict(("a.jpg", photo))
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    label = service.get("/version").json["classes"][0]
    recorded = service.send_label({"request_id": "a", "true_label": label})
    ready = service.get("/ready")
    assert "ok" not in ready.json["checks"]["log"].split()
    assert [answer.status, recorded.status, ready.status] == [503] * 3
    assert service.get("/health").status == 200
    assert service.count("scorer_log_errors_total") >= 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/dev/full"), os.mkfifo])
def test_a_log_that_cannot_be_written_refuses_predictions_until_it_can(attacked, photo, make):
    lines = attacked.output.read_text().count("cannot be written")
    for path in list_log_files(attacked.logs):
        path.unlink(missing_ok=True)
        make(path)
    assert_refuses(attacked, photo)
    for path in list_log_files(attacked.logs):
        path.rmdir() if path.is_dir() else path.unlink()
    assert attacked.get("/ready").status == 200
    answer = attacked.predict(("a.jpg", photo))
    assert attacked.output.read_text().count("cannot be written") == lines + 2
    assert [r["request_id"] for r in read_records(attacked.logs)] == [answer.json["request_id"]]
