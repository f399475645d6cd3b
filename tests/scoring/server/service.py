"""A real server in a folder of its own, and requests to it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import joblib

from flowers.model import card
from flowers.model import folder as model_folder
from tests.flowers.model.run_summary import RUN_SUMMARY

ROOT = Path(__file__).parents[3]
PATIENCE = 180  # seconds, for a busy machine
COMMAND = [sys.executable, "-m", "scoring.server"]


def write_model(folder, model, photos, size=32, typicality=None, **provenance):
    """Write a model folder as the promote stage and, with `provenance`, the registry would."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.with_name(f"{folder.name}.joblib")
    joblib.dump(model, file)
    preprocessing = {"features": ["pixels"], "size": size, "typicality": typicality}
    reference = [{"row": 0, "typicality": 0.35}]
    model_folder.write_model_folder(folder, file, preprocessing, photos, reference, RUN_SUMMARY)
    file.unlink()
    return add_provenance(folder, **provenance) if provenance else folder


def add_provenance(folder, version="v1.0.0", tag="flowers#production#1", commit="0" * 40):
    """Make a model folder what the registry fetches."""
    provenance = {"version": version, "tag": tag, "commit": commit}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    card.write_attestation(folder, provenance, card.hash_folder(folder))
    return folder


def wait_until(condition):
    """Wait for a condition to become true, and return its value."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(0.02)
    return value


def is_alive(pid):
    """Whether a process runs (Linux); a zombie does not."""
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def build_form(photos, field="file"):
    """Build a multipart body of (name, bytes) pairs, and its content type; any name, any bytes."""
    boundary = uuid.uuid4().hex
    header = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="%s"\r\n\r\n'
    )
    parts = [(header % name).encode() + photo + b"\r\n" for name, photo in photos]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Service:
    """A running server and its output."""

    def __init__(self, process, output, folder, temporary):
        self.process = process
        self.output = output
        self.folder = folder
        self.logs = folder / "logs"
        self.temporary = Path(temporary)
        self.pid = process.pid
        self.port = int(self.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[0])

    def _find(self, pattern):
        matches = re.findall(pattern, self.output.read_text())
        assert matches or self.process.poll() is None, self.output.read_text()
        return matches

    def wait_for(self, pattern, count=1):
        """Wait until the output has `count` matches of a pattern, and return them."""
        return wait_until(lambda: len(matches := self._find(pattern)) >= count and matches)

    def reload(self):
        """Send SIGHUP, wait for its line and return it."""
        pattern = r"(?:Reloaded|Not reloaded).*"
        count = len(self._find(pattern))
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(pattern, count + 1)[-1]

    def call(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path):
        return self.call("GET", path)

    def predict(self, *photos, **headers):
        body, content_type = build_form(photos)
        return self.call("POST", "/predict", body, Content_Type=content_type, **headers)

    def send_label(self, content):
        body = json.dumps(content)
        return self.call("POST", "/feedback", body, Content_Type="application/json")

    def count(self, name):
        """Read a counter of /metrics, such as scorer_canary_total{outcome="dropped"}."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    @contextmanager
    def load(self, photo, clients=3):
        """Send requests without a pause while the block runs.

        Yields a growing list of (request id, status or the exception where there was no response).
        """
        answers = []

        def send():
            name = uuid.uuid4().hex
            try:
                outcome = self.predict(("a.jpg", photo), X_Request_Id=name).status
            except (OSError, http.client.HTTPException) as error:
                outcome = error
            answers.append((name, outcome))

        with repeat(send, clients):
            yield answers


@contextmanager
def repeat(function, threads):
    """Call a function again and again in threads while the block runs."""
    stop = threading.Event()

    def call():
        while not stop.is_set():
            function()

    with run_threads(call, threads):
        try:
            yield
        finally:
            stop.set()


@contextmanager
def run_threads(function, count):
    """Call a function once in each of `count` threads, and join them after the block."""
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


def build_environment(**variables):
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LANG")}
    return kept | {"PYTHONPATH": str(ROOT)} | variables


@contextmanager
def run_server(folder, preexec_fn=None, **variables):
    """Run a server whose working directory is `folder`, on a free port."""
    output = folder / f"server-{uuid.uuid4()}.log"
    with tempfile.TemporaryDirectory() as temporary:  # a killed server leaves files there
        with output.open("wb") as file:
            process = subprocess.Popen(
                COMMAND,
                cwd=folder,
                env=build_environment(**{"PORT": "0", "TMPDIR": temporary} | variables),
                stdout=file,
                stderr=file,
                preexec_fn=preexec_fn,
            )
        try:
            yield Service(process, output, folder, temporary)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)
