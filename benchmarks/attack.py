"""Attack a scorer started for it: python -m benchmarks.attack [part ...].

With --before VERSION ROOT MODEL the scorer of another checkout is attacked in turn; MODEL is a
model folder of that version. With names of parts, only those are measured. Writes attack.json.
"""

import argparse
import http.client
import json
import socket
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from benchmarks.attack_photos import measure_costs
from benchmarks.hostile_photos import generate_photos
from benchmarks.serve import FORM, HEAD, MODEL, measure_latencies, read_golden_images, start_scorer
from flowers.base.tables import read_json, write_text
from study.repository import ROOT

RESULTS = ROOT / "benchmarks" / "attack.json"
SECONDS = 8
TIMEOUT = 5  # seconds without a response
NOT_READING = 26
LARGE_CLIENTS = 20
LARGE_IMAGE = "JPEG: 25 MP progressive"
CHURN = 600
CHURN_RATE = 330
UPLOADS = 8
UPLOAD_SECONDS = 3
KILLS = 50
# The largest responses of 3.4.0 and of now.
PIPELINED = b"".join(
    b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path
    for path in (b"docs/swagger-ui-bundle.js", b"openapi.json")
)


def make_body(image):
    """Make the body of a request with one image."""
    return HEAD + image + b"\r\n--x--\r\n"


def send_request(port, method, path, body=None, headers=None, timeout=TIMEOUT):
    """Send one request on a connection of its own; return the status, 0 without a response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@contextmanager
def run_in_background(function, threads=1):
    """Call a function again and again in some threads during the block."""
    stop = threading.Event()

    def repeat():
        while not stop.is_set():
            function()

    started = [threading.Thread(target=repeat) for _ in range(threads)]
    for thread in started:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in started:
            thread.join()


def summarise_latencies(seconds):
    """Percentiles in milliseconds."""
    p50, p99 = 1000 * np.percentile(seconds, (50, 99))
    return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}


def measure_health(port, seconds=SECONDS):
    """Percentiles of /health, and the requests without a response in time."""
    latencies = []
    lost = 0
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        lost += send_request(port, "GET", "/health") != 200
        latencies.append(time.perf_counter() - start)
        time.sleep(0.02)
    return summarise_latencies(latencies) | {"lost": lost}


def attack_slowly(port, images, count):
    """/health beside connections of which each sends a byte a second."""
    address = ("127.0.0.1", port)
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(address)) for _ in range(count)]

        def send_bytes():
            for connection in held:
                try:
                    connection.sendall(b"G")
                except OSError:  # closed by the scorer
                    pass
            time.sleep(1)

        with run_in_background(send_bytes):
            return measure_health(port)


def attack_without_reading(port, images):
    """/health beside clients that pipeline requests and never read, and after they have gone."""
    with ExitStack() as stack:
        for _ in range(NOT_READING):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(250 * PIPELINED)
        time.sleep(2)
        beside = measure_health(port)
    time.sleep(3)
    return {"beside": beside, "after": measure_health(port, 3)}


def attack_with_large_images(port, images):
    """One client with small images beside clients that send large ones without a pause."""
    large = next(content for name, content in generate_photos() if name == LARGE_IMAGE)
    attack = partial(send_request, port, "POST", "/predict", make_body(large), FORM, 60)
    statuses = []
    latencies = []
    with run_in_background(attack, LARGE_CLIENTS):
        time.sleep(1)
        end = time.perf_counter() + 2 * SECONDS
        while (start := time.perf_counter()) < end:
            body = make_body(images[len(statuses) % len(images)])
            statuses.append(send_request(port, "POST", "/predict", body, FORM, 30))
            latencies.append(time.perf_counter() - start)
    ok = round(statuses.count(200) / len(statuses), 3)
    return {"requests": len(statuses), "ok": ok} | summarise_latencies(latencies)


def upload_slowly(port, image):
    """Send a request in pieces over some seconds; return the status, 0 without a response."""
    body = make_body(image)
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {FORM['Content-Type']}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head.encode())
            for piece in range(30):
                connection.sendall(body[piece * len(body) // 30 : (piece + 1) * len(body) // 30])
                time.sleep(UPLOAD_SECONDS / 30)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status
    except (OSError, http.client.HTTPException):
        return 0


def attack_by_churn(port, images):
    """Honest uploads of three seconds while an attacker opens connections and keeps the newest."""
    statuses = []
    held = []

    def churn():
        held.append(socket.create_connection(("127.0.0.1", port)))
        held[-1].sendall(b"POST /predict HTTP/1.1\r\nContent-Length: 9999\r\n\r\nx")
        if len(held) > CHURN:
            held.pop(0).close()
        time.sleep(1 / CHURN_RATE)

    def upload():
        statuses.append(upload_slowly(port, images[0]))

    with run_in_background(churn):
        time.sleep(CHURN / CHURN_RATE)
        uploads = [threading.Thread(target=upload) for _ in range(UPLOADS)]
        for thread in uploads:
            thread.start()
        for thread in uploads:
            thread.join()
    for connection in held:
        connection.close()
    return {"uploads": UPLOADS, "ok": statuses.count(200)}


def attack_with_hostile_files(port, images):
    """The statuses of the responses to hostile files."""
    statuses = [
        send_request(port, "POST", "/predict", make_body(content), FORM, 60)
        for _, content in generate_photos()
    ]
    return {str(status): statuses.count(status) for status in sorted(set(statuses))}


def kill_under_load(root, model):
    """Kill the scorer under load; count acknowledged predictions and those that the log lacks."""
    body = make_body(read_golden_images(model)[0])
    acknowledged = set()
    with tempfile.TemporaryDirectory() as logs:
        for _ in range(KILLS):
            with start_scorer(logs, root=root, MODEL_DIR=str(model)) as (port, process, _):

                def predict(port=port):
                    name = uuid.uuid4().hex
                    headers = FORM | {"X-Request-Id": name}
                    if send_request(port, "POST", "/predict", body, headers) == 200:
                        acknowledged.add(name)

                with run_in_background(predict, 4):
                    time.sleep(0.5)
                    for child in [process, *process.children(recursive=True)]:
                        child.kill()
        logged = "".join(path.read_text(errors="replace") for path in Path(logs).glob("*.jsonl"))
    lost = sum(name not in logged for name in acknowledged)
    return {"kills": KILLS, "acknowledged": len(acknowledged), "lost": lost}


def run_on_scorer(attack, root, model):
    """Start a scorer, warm it up and attack it."""
    images = read_golden_images(model)
    with (
        tempfile.TemporaryDirectory() as logs,
        start_scorer(logs, root=root, MODEL_DIR=str(model)) as (port, _, _),
    ):
        measure_latencies(port, images, 1, 1)
        return attack(port, images)


ATTACKS = {
    "slow_200": partial(attack_slowly, count=200),
    "slow_1000": partial(attack_slowly, count=1000),
    "not_reading": attack_without_reading,
    "large_images": attack_with_large_images,
    "churn": attack_by_churn,
    "hostile_files": attack_with_hostile_files,
}
PARTS = {name: partial(run_on_scorer, attack) for name, attack in ATTACKS.items()}
PARTS["kills"] = kill_under_load


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "photos", []])
    parser.add_argument("--before", nargs=3, metavar=("VERSION", "ROOT", "MODEL"))
    options = parser.parse_args(arguments)
    results = read_json(RESULTS) if RESULTS.exists() else {"versions": {}}
    results["processors"] = len(psutil.Process().cpu_affinity())
    versions = {"now": (ROOT, MODEL.absolute())}
    if options.before:
        name, root, model = options.before
        versions = {name: (Path(root), Path(model))} | versions
    for part in options.parts or [*PARTS, "photos"]:
        if part == "photos":
            results[part] = measure_costs()
        else:
            results["versions"][part] = {n: PARTS[part](*v) for n, v in versions.items()}
            print(part, json.dumps(results["versions"][part]), flush=True)
        write_text(RESULTS, json.dumps(results, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
