"""Nothing that a client sends breaks the scorer, makes it grow or changes the next response."""

import http.client
import re
import shutil
import socket
from pathlib import Path

import pytest

from tests.scoring.server.hostile import HTTP, corpus
from tests.scoring.server.service import PATIENCE, Answer, running

MAX_GROWTH = 150  # MB
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@pytest.fixture(scope="module")
def attacked(candidate, tmp_path_factory):
    """A server of its own: its memory is watched."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(candidate, folder / "models" / "candidate")
    with running(folder, MAX_UPLOAD_MB="2", MAX_FILES="4") as service:
        yield service


def send(port, data):
    """The response to bytes that need not be a request; None if the connection is closed."""
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


def find_faults(answer, statuses):
    """What is wrong with a response; what is not HTTP has one of waitress, in plain text."""
    if answer is None:
        if None not in statuses:
            yield "no response"
        return
    if answer.status not in statuses:
        yield f"status {answer.status}: {answer.body[:200]}"
    if "X-Request-Id" not in answer.headers and HTTP in statuses:
        return
    if not REQUEST_ID.fullmatch(answer.headers.get("X-Request-Id", "")):
        yield f"request id {answer.headers['X-Request-Id']}"
    if answer.status >= 400:
        if answer.headers["Content-Type"] != "application/problem+json":
            yield f"content type {answer.headers['Content-Type']}"
        elif (answer.json["status"], answer.json["request_id"]) != (
            answer.status,
            answer.headers["X-Request-Id"],
        ):
            yield f"problem {answer.json}"


def resident(process):
    """Memory of a process, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1e3


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is read from /proc")
@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_hostile_requests_are_refused_as_problems_and_harm_no_other(attacked, photo, rounds):
    probabilities = attacked.predict(("a.jpg", photo)).json["predictions"][0]["probabilities"]
    pid, before = attacked.pid, resident(attacked.pid)
    requests = list(corpus(photo))
    assert len(requests) > 150
    found = {}
    for _ in range(rounds):
        for name, data, statuses in requests:
            if wrong := list(find_faults(send(attacked.port, data), statuses)):
                found[name] = wrong
            after = attacked.predict(("a.jpg", photo))
            (entry,) = after.json["predictions"]
            assert entry["probabilities"] == probabilities, name
    assert not found, "\n".join(f"{name}: {wrong}" for name, wrong in found.items())
    assert attacked.pid == pid
    assert resident(pid) - before < MAX_GROWTH
