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
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from flowers.base.errors import BadInput
from scoring.server.app import create_app
from scoring.server.process import bind_socket
from scoring.server.settings import Settings, read_settings
from tests.flowers.images.photo_files import encode_image
from tests.logged import read_records
from tests.scoring.server.gated import Gate, Gated
from tests.scoring.server.service import (
    COMMAND,
    ROOT,
    add_provenance,
    build_environment,
    is_alive,
    run_server,
    run_threads,
    wait_until,
    write_model,
)

WRONG_SETTINGS = """CANARY_RATIO=1.5 CANARY_RATIO=nan PORT=http PORT=65536 QUEUE=-1 MAX_FILES=0
MODEL_SHA256=abc MAX_UPLOAD_MB=0 MAX_UPLOAD_MB=inf"""


def test_each_variable_has_its_setting_and_a_wrong_value_is_refused_by_name():
    assert read_settings({}) == Settings()
    assert read_settings({"PORT": "", "LOG_DIR": ""}) == Settings()
    variables = """MODEL_DIR=a CANARY_DIR=b CANARY_RATIO=0.5 LOG_DIR=c MAX_UPLOAD_MB=1.5
    MAX_FILES=3 QUEUE=0 HOST=0.0.0.0 PORT=8080 HOSTS=Flowers.example,.intern"""
    environ = dict(item.split("=") for item in variables.split())
    model, canary, log = map(Path, "abc")
    hosts = ("flowers.example", ".intern")
    values = (model, "a" * 64, canary, 0.5, log, 1.5, 3, 0, "0.0.0.0", 8080, hosts)
    assert read_settings(environ | {"MODEL_SHA256": "A" * 64}) == Settings(*values)
    assert read_settings({"HOST": "0.0.0.0"}).hosts is None
    settings = read_settings({"QUEUE": "100"})
    assert settings.threads > settings.places > 100
    for setting in WRONG_SETTINGS.split():
        name, value = setting.split("=")
        with pytest.raises(BadInput, match=setting):
            read_settings({name: value})


def fail_to_start(folder, **variables):
    """Run a server that refuses to start, and return its only line."""
    environment = build_environment(**{"PORT": "0"} | variables)
    ended = subprocess.run(
        COMMAND, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith("scoring.server: ")
    return line


def test_a_start_that_cannot_succeed_ends_with_one_line(place, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert f"PORT={port} cannot be used" in fail_to_start(place, PORT=port)
    for host in ("no.such.host.invalid", "unix:/tmp/socket"):
        with pytest.raises(BadInput, match=f"HOST={host}"):
            bind_socket(host, 0)
    (place / "empty").mkdir()
    (place / "empty/file").touch()
    monkeypatch.chdir(place / "empty")
    for variables, words in (
        ({}, "dvc repro"),
        ({"MODEL_DIR": "models/other"}, "models/other"),
        ({"LOG_DIR": "file/logs"}, "LOG_DIR=file/logs cannot be written"),
    ):
        with pytest.raises(BadInput, match=words):
            create_app(read_settings(variables))


class Call:
    """A call that happens when its pickle is loaded."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def put_model(folder, content):
    """Put another model file into a folder, and its digests into the card."""
    model = read_card(folder)["model"]
    digests = {kind: hashlib.new(kind, content).hexdigest() for kind in ("md5", "sha256")}
    put_card(folder, model=model | digests)
    (folder / model["file"]).write_bytes(content)


def put_card(folder, **members):
    (folder / "card.json").write_text(json.dumps(read_card(folder) | members))


def read_card(folder):
    return json.loads((folder / "card.json").read_text())


def reverse_golden(folder):
    golden = read_card(folder)["golden"]
    golden[0]["probabilities"].reverse()
    put_card(folder, golden=golden)


VERSION = json.dumps({"version": "v1.0.0", "tag": "t", "commit": "c"})
RAISING = pickle.dumps(Call(exec, "raise ValueError('two\\nlines')"))
FAULTS = {
    "provenance is no JSON": lambda f: (f / "provenance.json").write_text("{oops"),
    "provenance without attestation": lambda f: (f / "provenance.json").write_text(VERSION),
    "card is a list": lambda f: (f / "card.json").write_text("[]"),
    "card without classes": lambda f: (f / "card.json").write_text("{}"),
    "card cut short": lambda f: (f / "card.json").write_text('{"classes": ['),
    "no card": lambda f: (f / "card.json").unlink(),
    "card is a folder": lambda f: [(f / "card.json").unlink(), (f / "card.json").mkdir()],
    "classes swapped": lambda f: put_card(f, classes=read_card(f)["classes"][::-1]),
    "no golden images": lambda f: put_card(f, golden=[]),
    "other golden predictions": reverse_golden,
    "golden image missing": lambda f: next((f / "golden").iterdir()).unlink(),
    "model cut short": lambda f: os.truncate(f / "model.joblib", 1000),
    "no model": lambda f: (f / "model.joblib").unlink(),
    "no pickle": lambda f: put_model(f, b"rubbish"),
    "pickle raises": lambda f: put_model(f, RAISING),
    "pickle exits": lambda f: put_model(f, pickle.dumps(Call(sys.exit, 0))),
    "pickle is no model": lambda f: put_model(f, pickle.dumps({})),
    "pickle ends its process": lambda f: put_model(f, pickle.dumps(Call(os._exit, 0))),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["no golden images", "pickle ends its process"])
def test_a_broken_model_is_one_line_at_start(place, fault):
    FAULTS[fault](place / "models" / "candidate")
    assert "models/candidate" in fail_to_start(place)


@pytest.mark.slow
def test_a_broken_model_is_one_line_on_reload_and_the_old_one_stays(place, candidate, photo):
    production = place / "models" / "production"
    with run_server(place) as service, service.load(photo, clients=1) as answers:
        loaded_at = service.get("/health").json["loaded_at"]
        for fault, break_model in FAULTS.items():
            shutil.rmtree(production, ignore_errors=True)
            shutil.copytree(candidate, production)
            break_model(production)
            assert service.reload().startswith("Not reloaded"), fault
        assert service.get("/health").json["loaded_at"] == loaded_at
        assert service.get("/ready").status == 200
    assert {status for _, status in answers} == {200}
    assert len(service.output.read_text().splitlines()) == 1 + len(FAULTS)


def test_hangup_takes_the_new_model_and_no_request_fails(place, candidate, photo):
    with run_server(place) as service, service.load(photo) as answers:
        assert service.get("/version").json["model_version"] == "untagged"
        shutil.copytree(candidate, place / "models" / "production")
        add_provenance(place / "models" / "production", version="v9.0.0")
        assert service.reload().startswith("Reloaded: model v9.0.0")
        for path in ("/health", "/ready", "/version"):
            body = service.get(path).json
            assert (body["model_version"], body["model_role"]) == ("v9.0.0", "production")
            assert body["tag"] == "flowers#production#1"
            assert body["loaded_at"] > body["started"]
        info = 'scorer_model_info{model_md5="%s",model_version="%s",role="production"}'
        assert service.count(info % (body["model_md5"], "v9.0.0")) == 1
        assert service.count(info % (body["model_md5"], "untagged")) == 0
    assert {status for _, status in answers} == {200}


@pytest.mark.slow
def test_signals_during_the_start_and_many_at_once_are_safe(place):
    environment = build_environment(PORT="0")
    process = subprocess.Popen(
        COMMAND, cwd=place, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        # Before its first line the process is Python's alone.
        blocked = f"SigBlk:\t{1 << (signal.SIGHUP - 1):016x}"
        wait_until(lambda: blocked in Path(f"/proc/{process.pid}/status").read_text())
        process.send_signal(signal.SIGHUP)
        lines = [process.stderr.readline(), process.stderr.readline()]
        assert "Listening at" in lines[0] and "Reloaded" in lines[1]
        for _ in range(50):
            process.send_signal(signal.SIGHUP)
        assert "Reloaded" in process.stderr.readline()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        _, output = process.communicate(timeout=20)
        assert process.returncode == 0
        assert len(output.splitlines()) <= 2
    finally:
        process.kill()


@pytest.fixture(name="gate")
def make_gate(tmp_path, photo):
    """Make the gate of a candidate in `tmp_path`."""
    gate = Gate(tmp_path)
    write_model(tmp_path / "models" / "candidate", Gated(gate.path, ["a", "b"]), {"a.jpg": photo})
    return gate


def test_requests_beyond_the_queue_are_429_and_sigterm_waits_for_the_others(gate, tmp_path, photo):
    answers = []
    places = Settings(queue=1).places
    with run_server(tmp_path, QUEUE="1") as service:
        gate.close()
        with run_threads(lambda: answers.append(service.predict(("a.jpg", photo))), places):
            wait_until(lambda: service.count("scorer_requests_in_progress") == places)
            refused = service.predict(("a.jpg", photo))
            assert refused.status == 429
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert int(refused.headers["Retry-After"]) >= 1
            assert service.get("/health").status == 200
            service.process.terminate()
            time.sleep(0.5)
            gate.set("open")
        assert service.process.wait(20) == 0
        assert not any(service.temporary.iterdir())
    assert [answer.status for answer in answers] == [200] * places
    assert len(list(read_records(service.logs))) == places


@pytest.mark.slow
def test_sigterm_ends_within_ten_seconds_whatever_clients_and_models_do(gate, tmp_path, photo):
    beginning = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"
    never_read = 300 * b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with run_server(tmp_path) as service, ExitStack() as stack:
        gate.close()
        for data in 20 * (beginning, never_read):
            address = "127.0.0.1", service.port
            stack.enter_context(socket.create_connection(address)).sendall(data)
        fail = lambda: pytest.raises(OSError, service.predict, ("a", photo))  # noqa: E731
        stack.enter_context(run_threads(fail, 1))
        wait_until(gate.count_arrived)
        put_model(tmp_path / "models" / "candidate", pickle.dumps(Call(time.sleep, 600)))
        service.process.send_signal(signal.SIGHUP)
        time.sleep(1.5)  # the reload hangs
        start = time.monotonic()
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert time.monotonic() - start < 10


@pytest.mark.slow
def test_a_scorer_that_is_killed_leaves_no_process_and_loses_no_prediction(place, photo):
    large = encode_image(Image.new("L", (3000, 3000)), "PNG")
    with run_server(place) as service, service.load(photo, clients=4) as answers:
        wait_until(lambda: len(answers) >= 20)
        assert service.predict(("big.png", large)).status == 200
        children = find_children(service.pid)
        assert children
        service.process.kill()
        service.process.wait()
        wait_until(lambda: not any(is_alive(child) for child in children))
        with run_server(place, PORT=str(service.port)) as another:
            assert another.get("/health").status == 200
    acknowledged = {name for name, status in answers if status == 200}
    assert acknowledged <= {record["request_id"] for record in read_records(service.logs)}


def find_children(pid):
    """Find the process ids of all descendants (Linux)."""
    children = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text().split()
    ]
    return children + [grandchild for child in children for grandchild in find_children(child)]


@pytest.mark.slow
def test_connections_stay_below_the_limit_of_files(place):
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # noqa: E731
    with run_server(place, limit) as service:
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            time.sleep(1)
            assert len(list(Path(f"/proc/{service.pid}/fd").iterdir())) < 60
        assert service.get("/health").status == 200
        assert len(service.output.read_text().splitlines()) == 1


def test_waitress_is_used_by_its_public_interface_alone():
    text = "\n".join(path.read_text() for path in (ROOT / "scoring").rglob("*.py"))
    assert re.findall(r".*import.*waitress.*|from waitress.*", text) == ["import waitress"]
    assert re.findall(r"waitress\.\w+", text) == ["waitress.create_server"]
