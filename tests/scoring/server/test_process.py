"""The process: start, signals, reload, limits."""

import hashlib
import json
import os
import pickle
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from scoring.server.settings import Settings
from tests.flowers.images.photo_files import encode_image
from tests.logged import read_records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import ROOT, environment, promoted, running, until, write_model


def start(folder, **variables):
    """Run a server that is expected to refuse, and return its only line."""
    ended = subprocess.run(
        [sys.executable, "-m", "scoring.server"],
        cwd=folder,
        env=environment(**{"PORT": "0"} | variables),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("scoring.server: ")
    return line


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_a_start_that_cannot_succeed_ends_with_one_line(tmp_path, place, taken_port):
    assert "PORT=http" in start(tmp_path, PORT="http")
    assert f"PORT={taken_port} cannot be used" in start(place, PORT=taken_port)
    assert "HOST=no.such.host.invalid PORT=0 cannot be used" in start(
        place, HOST="no.such.host.invalid"
    )
    assert "HOST=unix:/tmp/socket" in start(place, HOST="unix:/tmp/socket")
    (tmp_path / "empty").mkdir()
    assert "dvc repro" in start(tmp_path / "empty")
    assert "models/other" in start(place, MODEL_DIR="models/other")
    (place / "file").touch()
    assert "LOG_DIR=file/logs cannot be written" in start(place, LOG_DIR="file/logs")


class Pickled:
    """A call that happens when a file is loaded."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class Failing(Gated):
    def predict_proba(self, X):
        raise SystemExit("no prediction")


def put_model(folder, content):
    """Put another model file into a folder, and its digests into the card."""
    card = json.loads((folder / "card.json").read_text())
    card["model"] |= {kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")}
    (folder / card["model"]["file"]).write_bytes(content)
    (folder / "card.json").write_text(json.dumps(card))


def put_card(folder, **members):
    card = json.loads((folder / "card.json").read_text()) | members
    (folder / "card.json").write_text(json.dumps(card))


def read_card(folder):
    return json.loads((folder / "card.json").read_text())


def reverse_golden(folder):
    golden = read_card(folder)["golden"]
    golden[0]["probabilities"].reverse()
    put_card(folder, golden=golden)


FAULTS = {
    "provenance is no JSON": lambda f: (f / "provenance.json").write_text("{oops"),
    "provenance without attestation": lambda f: (f / "provenance.json").write_text(
        json.dumps({"version": "v1.0.0", "tag": "t", "commit": "c"})
    ),
    "card is a list": lambda f: (f / "card.json").write_text("[]"),
    "card without classes": lambda f: (f / "card.json").write_text("{}"),
    "card cut short": lambda f: (f / "card.json").write_text('{"classes": ['),
    "no card": lambda f: (f / "card.json").unlink(),
    "card is a folder": lambda f: [(f / "card.json").unlink(), (f / "card.json").mkdir()],
    "classes swapped": lambda f: put_card(f, classes=read_card(f)["classes"][::-1]),
    "no golden images": lambda f: put_card(f, golden=[]),
    "other golden predictions": reverse_golden,
    "golden image missing": lambda f: next((f / "golden").iterdir()).unlink(),
    "model with another byte": lambda f: (f / "model.joblib").write_bytes(
        (f / "model.joblib").read_bytes() + b"x"
    ),
    "no model": lambda f: (f / "model.joblib").unlink(),
    "no pickle": lambda f: put_model(f, b"rubbish"),
    "pickle raises": lambda f: put_model(
        f, pickle.dumps(Pickled(exec, "raise ValueError('two\\nlines')"))
    ),
    "pickle exits": lambda f: put_model(f, pickle.dumps(Pickled(sys.exit, 0))),
    "pickle is no model": lambda f: put_model(f, pickle.dumps({})),
    "pickle ends its process": lambda f: put_model(f, pickle.dumps(Pickled(os._exit, 0))),
}

STARTS = """
import json, os, sys
from flowers.base.errors import BadInput
from scoring.server.scorer import load_checked
from scoring.server.settings import Settings
for folder in sys.argv[1:]:
    os.chdir(folder)
    try:
        load_checked(Settings())
        print(json.dumps("served"))
    except BadInput as error:
        print(json.dumps(str(error)))
"""


@pytest.fixture(scope="module")
def messages(candidate, tmp_path_factory):
    """The message for each fault at start; one process tries one folder after another."""
    folders = {fault: tmp_path_factory.mktemp("fault") for fault in FAULTS}
    for fault, folder in folders.items():
        shutil.copytree(candidate, folder / "models" / "candidate")
        FAULTS[fault](folder / "models" / "candidate")
    ended = subprocess.run(
        [sys.executable, "-c", STARTS, *folders.values()],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return dict(zip(folders, map(json.loads, ended.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_model_is_not_served_at_start(messages, fault):
    assert "models/candidate" in messages[fault]


def test_a_broken_model_is_one_line_on_reload_and_the_old_one_stays(place, candidate, photo):
    production = place / "models" / "production"
    with running(place) as service, service.load(photo, clients=1) as answers:
        loaded_at = service.get("/health").json["loaded_at"]
        for fault, break_model in FAULTS.items():
            shutil.rmtree(production, ignore_errors=True)
            shutil.copytree(candidate, production)
            break_model(production)
            assert service.reload().startswith("Not reloaded"), fault
        assert service.get("/health").json["loaded_at"] == loaded_at
        assert service.get("/ready").status == 200
    assert {status for _, status in answers} == {200}
    lines = service.output.read_text().splitlines()
    assert sum("Not reloaded" in line for line in lines) == len(FAULTS)
    assert len(lines) == 1 + len(FAULTS), "more than one line for a fault"


def test_hangup_takes_the_new_model_and_no_request_fails(place, candidate, photo):
    with running(place) as service, service.load(photo) as answers:
        assert service.get("/version").json["model_version"] == "untagged"
        shutil.copytree(candidate, place / "models" / "production")
        promoted(place / "models" / "production", version="v9.0.0")
        assert service.reload().startswith("Reloaded: model v9.0.0")
        for path in ("/health", "/ready", "/version"):
            body = service.get(path).json
            assert (body["model_version"], body["model_role"]) == ("v9.0.0", "production")
            assert body["tag"] == "flowers#production#1"
            assert body["loaded_at"] > body["started"]
        info = 'flowers_model_info{model_md5="%s",model_version="%s",role="production"}'
        assert service.count(info % (body["model_md5"], "v9.0.0")) == 1
        assert service.count(info % (body["model_md5"], "untagged")) == 0
    assert {status for _, status in answers} == {200}


def test_signals_during_the_start_and_many_at_once_are_safe(place, photo):
    process = subprocess.Popen(
        [sys.executable, "-m", "scoring.server"],
        cwd=place,
        env=environment(PORT="0"),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The first instants of Python itself are not the scorer's.
        blocked = f"SigBlk:\t{1 << (signal.SIGHUP - 1):016x}"
        until(lambda: blocked in Path(f"/proc/{process.pid}/status").read_text())
        process.send_signal(signal.SIGHUP)
        lines = [process.stderr.readline(), process.stderr.readline()]
        assert "Listening at" in lines[0] and "Reloaded" in lines[1]
        for _ in range(50):
            process.send_signal(signal.SIGHUP)
        assert "Reloaded" in process.stderr.readline()
        time.sleep(1)
        process.terminate()
        _, rest = process.communicate(timeout=20)
        assert process.returncode == 0
        assert len(rest.splitlines()) <= 2
    finally:
        process.kill()


@pytest.fixture
def gate(tmp_path, photo):
    gate = Gate(tmp_path)
    write_model(tmp_path / "models" / "candidate", Gated(gate.path, ["a", "b"]), {"a.jpg": photo})
    return gate


def test_requests_beyond_the_queue_are_429_and_those_in_progress_outlive_sigterm(
    gate, tmp_path, photo
):
    answers = []
    with running(tmp_path, QUEUE="1") as service:
        gate.close()
        places = Settings(queue=1).places
        threads = [
            threading.Thread(target=lambda: answers.append(service.predict(("a.jpg", photo))))
            for _ in range(places)
        ]
        for thread in threads:
            thread.start()
        until(lambda: service.count("flowers_requests_in_progress") == places)
        refused = service.predict(("a.jpg", photo), X_Request_Id="mine")
        assert refused.status == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert int(refused.headers["Retry-After"]) >= 1
        assert service.get("/health").status == 200
        service.process.terminate()
        time.sleep(0.5)
        gate.set("open")
        for thread in threads:
            thread.join()
        assert service.process.wait(20) == 0
    assert [answer.status for answer in answers] == [200] * places
    assert len(list(read_records(service.logs))) == places


def test_sigterm_ends_within_ten_seconds_whatever_clients_and_models_do(gate, tmp_path, photo):
    with running(tmp_path) as service:
        gate.close()
        held = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(20)]
        for connection in held:
            connection.sendall(b"POST /predict HTTP/1.1\r\nContent-Length: 1000\r\n\r\nx")
        thread = threading.Thread(
            target=lambda: pytest.raises(OSError, service.predict, ("a", photo))
        )
        thread.start()
        until(gate.arrived)
        start = time.monotonic()
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert time.monotonic() - start < 10
        for connection in held:
            connection.close()


def test_a_scorer_that_is_killed_leaves_nothing_behind_and_loses_no_prediction(place, photo):
    with running(place) as service, service.load(photo, clients=4) as answers:
        until(lambda: len(answers) >= 20)
        assert service.predict(("big.png", large_image())).status == 200
        children = find_children(service.pid)
        assert len(children) >= 1
        service.process.kill()
        service.process.wait()
        until(lambda: not any(is_alive(child) for child in children))
        with running(place, PORT=str(service.port)) as another:
            assert another.get("/health").status == 200
    acknowledged = {name for name, status in answers if status == 200}
    assert acknowledged <= {record["request_id"] for record in read_records(service.logs)}


def large_image():
    return encode_image(Image.new("L", (3000, 3000)), "PNG")


def find_children(pid):
    """Process ids of all descendants (Linux)."""
    found = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ]
    return found + [grandchild for child in found for grandchild in find_children(child)]


def is_alive(pid):
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_connections_stay_below_the_limit_of_files(place, photo):
    command = [sys.executable, "-m", "scoring.server"]
    output = place / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=environment(PORT="0"),
            stdout=file,
            stderr=file,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
        )
    try:
        until(lambda: "Listening" in output.read_text())
        port = int(output.read_text().rpartition("127.0.0.1:")[2].split()[0])
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        time.sleep(1)
        assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < 60
        for connection in held:
            connection.close()
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert len(output.read_text().splitlines()) == 1
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_port_given_to_make_reaches_the_scorer(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["make", "-f", str(ROOT / "Makefile"), "-o", "env", "serve", f"PORT={port}"]
    output = place / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=place, env=environment(PATH=path), stdout=out, stderr=out
        )
    try:
        until(lambda: "Listening at" in output.read_text() or process.poll() is not None)
        assert f"http://127.0.0.1:{port} " in output.read_text()
    finally:
        process.terminate()
        process.wait(60)


def test_waitress_is_used_by_its_public_interface_alone():
    sources = [path.read_text() for path in (ROOT / "scoring").rglob("*.py")]
    imports = [
        line
        for text in sources
        for line in re.findall(r".*import.*waitress.*|from waitress.*", text)
    ]
    assert imports == ["import waitress"]
    assert [use for text in sources for use in re.findall(r"waitress\.\w+", text)] == [
        "waitress.create_server"
    ]
