"""A real server in a folder of its own, and requests to it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
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


def write_model(folder, model, photos, size=32, **origin):
    """Write a model folder as the promote stage and, with `origin`, the registry would."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = folder.with_name(f"{folder.name}.joblib")
    joblib.dump(model, file)
    preprocessing = {"features": ["pixels"], "size": size}
    model_folder.write_model_folder(folder, file, preprocessing, photos, [{"row": 0}], RUN_SUMMARY)
    file.unlink()
    return promoted(folder, **origin) if origin else folder


def promoted(folder, version="v1.0.0", tag="flowers#production#1", commit="0" * 40):
    """Make a model folder what the registry fetches."""
    origin = {"version": version, "tag": tag, "commit": commit}
    (folder / "provenance.json").write_text(json.dumps(origin))
    card.write_attestation(folder, origin, card.hash_folder(folder))
    return folder


def until(condition):
    """Wait for a condition, and fail if it does not come."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, "the condition did not come"
        time.sleep(0.02)
    return value


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def form(photos, field="file"):
    """A multipart body of (name, bytes) pairs, and its content type; any name, any bytes."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + photo
        + b"\r\n"
        for name, photo in photos
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


class Service:
    """A running server and its output."""

    def __init__(self, process, output, folder):
        self.process, self.output, self.folder = process, output, folder
        self.logs = folder / "logs"
        self.port = int(self.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[0])

    def _find(self, pattern):
        matches = re.findall(pattern, self.output.read_text())
        assert matches or self.process.poll() is None, self.output.read_text()
        return matches

    def wait_for(self, pattern, count=1):
        """Wait until the output has a pattern so many times."""
        return until(lambda: len(found := self._find(pattern)) >= count and found)

    @property
    def pid(self):
        return self.process.pid

    def reload(self):
        """Send SIGHUP and wait for its line."""
        count = len(self._find(r"Reloaded|Not reloaded")) if self._has_reloaded() else 0
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(r"(?:Reloaded|Not reloaded).*", count + 1)[-1]

    def _has_reloaded(self):
        return "eloaded" in self.output.read_text()

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
        body, content_type = form(photos)
        return self.call("POST", "/predict", body, Content_Type=content_type, **headers)

    def send_label(self, content):
        body = json.dumps(content)
        return self.call("POST", "/feedback", body, Content_Type="application/json")

    def count(self, name):
        """A counter of /metrics, such as flowers_canary_total{outcome="dropped"}."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    @contextmanager
    def load(self, photo, clients=3):
        """Send requests without a pause while the block runs.

        Yields a growing list of (request id, status or the exception where there was no response).
        """
        answers, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                name = uuid.uuid4().hex
                try:
                    outcome = self.predict(("a.jpg", photo), X_Request_Id=name).status
                except (OSError, http.client.HTTPException) as error:
                    outcome = error
                answers.append((name, outcome))

        threads = [threading.Thread(target=ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield answers
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def environment(**variables):
    given = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "LANG")}
    return given | {"PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}"} | variables


@contextmanager
def running(folder, **variables):
    """A server whose working directory is `folder`, on a free port."""
    output = folder / f"server-{uuid.uuid4()}.log"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "scoring.server"],
            cwd=folder,
            env=environment(**{"PORT": "0"} | variables),
            stdout=file,
            stderr=file,
        )
    try:
        yield Service(process, output, folder)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)
