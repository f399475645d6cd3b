"""The whole attack on a scorer of our own: python -m benchmarks.attack [part ...].

Writes attack.json; with names of parts those alone are run again.
"""

import http.client
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from itertools import cycle

import numpy as np

from benchmarks.attack_photos import measure_costs
from benchmarks.hostile_photos import generate_photos
from benchmarks.serve import MODEL, SCORER, measure, server
from scoring.server.settings import Settings, processors
from study.repository import ROOT

RESULTS = ROOT / "benchmarks" / "attack.json"
GTHREAD = (
    *("gunicorn", "--worker-class", "gthread", "--threads", str(Settings.threads)),
    *("--bind", "127.0.0.1:0", "--no-control-socket", "scoring.server.app:create_app()"),
)
SERVERS = {"gunicorn gthread": GTHREAD, "waitress under gunicorn": SCORER}
SLOW, SILENT, IMPATIENT, SECONDS, PATIENCE = 200, 40, 64, 8, 5
ROUNDS = 4  # of the client alone and beside heavy photos
HEAVY = ("JPEG: 25 MP progressive", "PNG: 25 MP 16-bit alpha", "JPEG: 96 scans of 4900×4900")


def ask(connection, method, path, body=None, **headers):
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    response.read()
    return response.status


def figures(times):
    """Percentiles of seconds, in milliseconds."""
    p50, p99 = 1000 * np.percentile(times, (50, 99))
    return {"answers": len(times), "p50_ms": round(p50), "p99_ms": round(p99)}


@contextmanager
def slow_clients(port):
    """Connections that send a byte a second, and some that send nothing, while the block runs."""
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW + SILENT)]
    stop = threading.Event()

    def drip():
        while not stop.wait(1):
            for connection in held[:SLOW]:
                try:
                    connection.sendall(b"G")
                except OSError:
                    pass  # closed by its deadline

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in held:
            connection.close()


def probe(port, path):
    """Answers of an endpoint during some seconds, and requests that got none in time."""
    times, lost, end = [], 0, time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            assert ask(connection, "GET", path) == 200
            times.append(time.perf_counter() - start)
        except OSError:
            times.append(PATIENCE)
            lost += 1
        finally:
            connection.close()
        time.sleep(0.05)
    return figures(times) | {"lost": lost}


def compare(module):
    """A server under load, and its /health and /ready under slow clients."""
    with tempfile.TemporaryDirectory() as logs, server(logs, module) as (port, _, _):
        measure(port, HONEST, 1, 1)
        result = {"load of 16": figures(measure(port, HONEST, 16, SECONDS))}
        for path in ("/health", "/ready"):
            with slow_clients(port):
                result[f"{path} with {SLOW} slow"] = probe(port, path)
            time.sleep(1)
    return result


def served(function):
    """Call a function with the port of a scorer started for it."""
    with tempfile.TemporaryDirectory() as logs, server(logs) as (port, _, _):
        return function(port)


def attack(port, bodies, stop):
    """Send one body after the other, in a process of its own: a thread would slow its client."""
    kind = "multipart/form-data; boundary=x"
    for body in cycle(bodies):
        if stop.is_set():
            return
        connection = http.client.HTTPConnection("127.0.0.1", port)
        ask(connection, "POST", "/predict", body, Content_Type=kind)
        connection.close()


def heavy(port):
    """One honest client alone, then beside two that send eight heavy photos at a time, in turn."""
    chosen = [content for name, content in generate_photos() if name in HEAVY]
    assert len(chosen) == len(HEAVY)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    bodies = [
        b"".join(head + chosen[(first + i) % len(chosen)] + b"\r\n" for i in range(8))
        + b"--x--\r\n"
        for first in range(len(chosen))
    ]
    alone, beside, fork = [], [], multiprocessing.get_context("fork")
    measure(port, HONEST, 1, 1)
    for _ in range(ROUNDS):
        alone.append(measure(port, HONEST, 1, SECONDS))
        stop = fork.Event()
        attackers = [fork.Process(target=attack, args=(port, bodies, stop)) for _ in range(2)]
        for attacker in attackers:
            attacker.start()
        time.sleep(1)
        beside.append(measure(port, HONEST, 1, SECONDS))
        stop.set()
        for attacker in attackers:
            attacker.join()
    pairs = {"alone": alone, "beside heavy photos": beside}
    return {name: figures(np.concatenate(times)) for name, times in pairs.items()}


def impatient(port):
    """Answers a second to as many clients as may wait, and to many more that do not pause."""
    return {
        str(clients): round(len(measure(port, HONEST, clients, SECONDS)) / SECONDS, 1)
        for clients in (16, IMPATIENT)
    }


def canary():
    """Four clients without a canary, and with one that sees every photo."""
    result = {}
    for ratio in ("0", "1"):
        with (
            tempfile.TemporaryDirectory() as logs,
            server(logs, CANARY_DIR=str(MODEL), CANARY_RATIO=ratio) as (port, _, _),
        ):
            measure(port, HONEST, 1, 2)  # the canary is loaded
            result[f"ratio {ratio}"] = figures(measure(port, HONEST, 4, SECONDS))
    return result


def orphan():
    """Seconds from the death of the master, under load, until its port is free."""
    with tempfile.TemporaryDirectory() as logs, server(logs) as (port, worker, _):
        with open(f"/proc/{worker}/stat") as stat:
            master = int(stat.read().split()[3])
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(SILENT)]
        os.kill(master, 9)
        start = time.perf_counter()
        while True:
            try:
                socket.create_server(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.01)
        seconds = time.perf_counter() - start
        for connection in held:
            connection.close()
        return round(seconds, 2)


def main(wanted):
    """Run all parts, or those named; the others keep their figures."""
    results = json.loads(RESULTS.read_text()) if wanted else {}
    results["processors"] = processors()

    def show(name, found):
        results[name] = found
        print(name, json.dumps(found), flush=True)

    parts = {name: partial(compare, module) for name, module in SERVERS.items()}
    parts |= {f.__name__: partial(served, f) for f in (heavy, impatient)}
    parts |= {"canary": canary, "port_free_s": orphan, "photos": measure_costs}
    for name in wanted or parts:
        show(name, parts[name]())
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")


HONEST = [path.read_bytes() for path in sorted((MODEL / "golden").iterdir())]

if __name__ == "__main__":
    main(sys.argv[1:])
