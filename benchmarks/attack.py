"""Attack a scorer started for it: python -m benchmarks.attack [part ...].

Writes benchmarks/attack.json; with names of parts, only those are measured again. With
--before ROOT MODEL the part "versions" attacks the scorer of another checkout as well, in turn;
MODEL is a model folder in the form of that checkout.
"""

import argparse
import http.client
import json
import multiprocessing
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import psutil

from benchmarks.attack_clients import compare_versions
from benchmarks.attack_photos import measure_costs
from benchmarks.hostile_photos import generate_photos
from benchmarks.serve import (
    FORM,
    HEAD,
    MODEL,
    measure_latencies,
    read_golden_images,
    start_scorer,
)
from flowers.base.tables import read_json, write_text
from study.repository import ROOT

RESULTS = ROOT / "benchmarks" / "attack.json"
SLOW = 200  # connections that send a byte a second
SILENT = 40  # connections that send nothing
MANY = 64  # clients, more than may wait
SECONDS = 8
TIMEOUT = 5  # seconds without a response
ROUNDS = 4  # of one client alone and beside expensive images
EXPENSIVE = ("JPEG: 25 MP progressive", "PNG: 25 MP 16-bit alpha", "JPEG: 96 scans of 4900×4900")


def send_request(port, method, path, body=None, headers=None, timeout=None):
    """Send one request on a connection of its own; return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def summarise_latencies(seconds):
    """Count of responses and percentiles in milliseconds."""
    p50, p99 = 1000 * np.percentile(seconds, (50, 99))
    return {"responses": len(seconds), "p50_ms": round(p50), "p99_ms": round(p99)}


@contextmanager
def open_slow_connections(port):
    """Keep slow and silent connections open during the block."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW + SILENT)]
    stop = threading.Event()

    def send_bytes():
        while not stop.wait(1):
            for connection in connections[:SLOW]:
                try:
                    connection.sendall(b"G")
                except OSError:
                    pass  # closed by the scorer

    thread = threading.Thread(target=send_bytes)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def measure_endpoint(port, path):
    """Latencies of an endpoint, and the number of requests without a response in time."""
    latencies = []
    lost = 0
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        try:
            assert send_request(port, "GET", path, timeout=TIMEOUT) == 200
            latencies.append(time.perf_counter() - start)
        except OSError:
            latencies.append(TIMEOUT)
            lost += 1
        time.sleep(0.05)
    return summarise_latencies(latencies) | {"lost": lost}


def measure_slow_clients(port, images):
    """16 clients alone, then /health and /ready beside slow and silent connections."""
    figures = {"load of 16": summarise_latencies(measure_latencies(port, images, 16, SECONDS))}
    for path in ("/health", "/ready"):
        with open_slow_connections(port):
            figures[f"{path} with {SLOW} slow"] = measure_endpoint(port, path)
        time.sleep(1)
    return figures


def send_bodies(port, bodies, stop):
    """Send one body after another until stopped; runs in a process of its own."""
    for body in cycle(bodies):
        if stop.is_set():
            return
        send_request(port, "POST", "/predict", body, FORM)


def make_expensive_bodies():
    """Request bodies with eight expensive images each."""
    images = [content for name, content in generate_photos() if name in EXPENSIVE]
    parts = [HEAD + image + b"\r\n" for image in images]
    count = len(parts)
    return [
        b"".join(parts[(first + i) % count] for i in range(8)) + b"--x--\r\n"
        for first in range(count)
    ]


def measure_expensive_images(port, images):
    """One client alone, then beside two clients that send expensive images, in turn."""
    bodies = make_expensive_bodies()
    fork = multiprocessing.get_context("fork")
    alone = []
    beside = []
    for _ in range(ROUNDS):
        alone.append(measure_latencies(port, images, 1, SECONDS))
        stop = fork.Event()
        attackers = [fork.Process(target=send_bodies, args=(port, bodies, stop)) for _ in range(2)]
        for attacker in attackers:
            attacker.start()
        time.sleep(1)
        beside.append(measure_latencies(port, images, 1, SECONDS))
        stop.set()
        for attacker in attackers:
            attacker.join()
    latencies = {"alone": alone, "beside expensive images": beside}
    return {name: summarise_latencies(np.concatenate(s)) for name, s in latencies.items()}


def measure_many_clients(port, images):
    """Responses per second to as many clients as may wait, and to many more."""
    return {
        str(clients): round(len(measure_latencies(port, images, clients, SECONDS)) / SECONDS, 1)
        for clients in (16, MANY)
    }


def measure_canary():
    """Four clients without a canary, and with one that classifies every image."""
    images = read_golden_images(MODEL)
    figures = {}
    for ratio in ("0", "1"):
        variables = {"CANARY_DIR": str(MODEL.absolute()), "CANARY_RATIO": ratio}
        with tempfile.TemporaryDirectory() as logs, start_scorer(logs, **variables) as (port, _, _):
            measure_latencies(port, images, 1, 2)  # until the canary is loaded
            latencies = measure_latencies(port, images, 4, SECONDS)
        figures[f"ratio {ratio}"] = summarise_latencies(latencies)
    return figures


def run_on_scorer(measure):
    """Start a scorer, warm it up and measure it."""
    images = read_golden_images(MODEL)
    with tempfile.TemporaryDirectory() as logs, start_scorer(logs) as (port, _, _):
        measure_latencies(port, images, 1, 1)
        return measure(port, images)


PARTS = {
    "slow_clients": partial(run_on_scorer, measure_slow_clients),
    "expensive_images": partial(run_on_scorer, measure_expensive_images),
    "many_clients": partial(run_on_scorer, measure_many_clients),
    "canary": measure_canary,
    "photos": measure_costs,
}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "versions", []])
    parser.add_argument("--before", nargs=2, type=Path, metavar=("ROOT", "MODEL"))
    options = parser.parse_args(arguments)
    names = options.parts
    results = read_json(RESULTS) if RESULTS.exists() else {}
    versions = {"now": (ROOT, MODEL.absolute())}
    if options.before:
        versions = {"before": options.before} | versions
    parts = PARTS | {"versions": partial(compare_versions, versions)}
    results["processors"] = len(psutil.Process().cpu_affinity())
    for name in names or parts:
        results[name] = parts[name]()
        print(name, json.dumps(results[name]), flush=True)
    write_text(RESULTS, json.dumps(results, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
