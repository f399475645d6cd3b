"""Clients that attack a scorer, and what honest clients get beside them."""

import http.client
import socket
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hostile_photos import generate_photos
from benchmarks.serve import FORM, HEAD, measure_latencies, read_golden_images, start_scorer

SECONDS = 8
TIMEOUT = 5
NOT_READING = 26
LARGE_CLIENTS = 20
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


def measure_health(port, seconds=SECONDS):
    """Percentiles of /health, and the requests without a response in time."""
    latencies = []
    lost = 0
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        lost += send_request(port, "GET", "/health") != 200
        latencies.append(time.perf_counter() - start)
        time.sleep(0.02)
    p50, p99 = 1000 * np.percentile(latencies, (50, 99))
    return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1), "lost": lost}


@contextmanager
def in_background(function, threads=1):
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


def attack_slowly(port, images, count):
    """/health beside connections of which each sends a byte now and then."""
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)
        ]

        def drip():
            for connection in held:
                try:
                    connection.sendall(b"G")
                except OSError:  # closed by the scorer
                    pass
            time.sleep(1)

        with in_background(drip):
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
    large = next(
        content for name, content in generate_photos() if name == "JPEG: 25 MP progressive"
    )
    attack = partial(send_request, port, "POST", "/predict", make_body(large), FORM, 60)
    statuses = []
    latencies = []
    with in_background(attack, LARGE_CLIENTS):
        time.sleep(1)
        end = time.perf_counter() + 2 * SECONDS
        while (start := time.perf_counter()) < end:
            body = make_body(images[len(statuses) % len(images)])
            statuses.append(send_request(port, "POST", "/predict", body, FORM, 30))
            latencies.append(time.perf_counter() - start)
    p50, p99 = 1000 * np.percentile(latencies, (50, 99))
    ok = statuses.count(200) / len(statuses)
    return {
        "requests": len(statuses),
        "ok": round(ok, 3),
        "p50_ms": round(p50),
        "p99_ms": round(p99),
    }


def upload_slowly(port, image):
    """Send a request in pieces over some seconds; return the status, 0 without a response."""
    body = make_body(image)
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += f"Content-Type: {FORM['Content-Type']}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(head.encode())
            for piece in range(30):
                part = slice(piece * len(body) // 30, (piece + 1) * len(body) // 30)
                connection.sendall(body[part])
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

    with in_background(churn):
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


def measure_load(port, images):
    """Responses per second to 1, 4 and 16 clients."""
    return {
        str(clients): round(len(measure_latencies(port, images, clients, SECONDS)) / SECONDS, 1)
        for clients in (1, 4, 16)
    }


def kill_under_load(root, model, kills=KILLS):
    """Kill the scorer under load; count acknowledged predictions and those that the log lacks."""
    images = read_golden_images(model)
    acknowledged = set()
    with tempfile.TemporaryDirectory() as logs:
        for _ in range(kills):
            with start_scorer(logs, root=root, MODEL_DIR=str(model)) as (port, process, _):

                def predict(port=port):
                    name = uuid.uuid4().hex
                    headers = FORM | {"X-Request-Id": name}
                    if send_request(port, "POST", "/predict", make_body(images[0]), headers) == 200:
                        acknowledged.add(name)

                with in_background(predict, 4):
                    time.sleep(0.5)
                    for child in [process, *process.children(recursive=True)]:
                        child.kill()
        logged = "".join(path.read_text(errors="replace") for path in Path(logs).glob("*.jsonl"))
        return {
            "kills": kills,
            "acknowledged": len(acknowledged),
            "lost": sum(name not in logged for name in acknowledged),
        }


ATTACKS = {
    "load": measure_load,
    "slow_200": partial(attack_slowly, count=200),
    "slow_1000": partial(attack_slowly, count=1000),
    "not_reading": attack_without_reading,
    "large_images": attack_with_large_images,
    "churn": attack_by_churn,
    "hostile_files": attack_with_hostile_files,
}


def compare_versions(versions, kills=KILLS, show=print):
    """Run each attack on each version, in turn; `versions` maps a name to (root, model folder)."""
    results = {}
    for name, attack in ATTACKS.items():
        for version, (root, model) in versions.items():
            images = read_golden_images(model)
            with (
                tempfile.TemporaryDirectory() as logs,
                start_scorer(logs, root=root, MODEL_DIR=str(model)) as (port, _, _),
            ):
                measure_latencies(port, images, 1, 1)
                results.setdefault(name, {})[version] = attack(port, images)
                show(name, version, results[name][version])
    for version, (root, model) in versions.items():
        results.setdefault("kills", {})[version] = kill_under_load(root, model, kills)
        show("kills", version, results["kills"][version])
    return results
