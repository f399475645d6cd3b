"""Throughput, latency and cost of the scorer: python -m benchmarks.serve.

The model is the candidate. With --before VERSION ROOT MODEL the scorer of another checkout serves a
model folder of that version in alternating rounds. Its Python is that of its .venv, if it has one.
The processor time of a response depends less on other work on the machine than the other figures.
Writes benchmarks/serve.json.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import requests

from flowers.base.tables import write_json
from study.repository import ROOT

MODEL = Path("models/candidate")
RESULTS = ROOT / "benchmarks" / "serve.json"
CLIENTS = (1, 4, 16)
SECONDS = 4
ROUNDS = 3  # in which the versions alternate
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@contextmanager
def start_scorer(log_dir, root=ROOT, **variables):
    """Start a scorer on a free port; yield its port, its process and the seconds until ready."""
    start = time.perf_counter()
    settings = {"PORT": "0", "MODEL_DIR": str(MODEL.absolute()), "LOG_DIR": log_dir}
    python = root / ".venv/bin/python"
    process = subprocess.Popen(
        [python if python.exists() else sys.executable, "-m", "scoring.server"],
        cwd=root,
        env=os.environ | settings | variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output = ""
        while not (url := re.search(r"Listening at: (http://[^ ]+)", output)):
            if not (line := process.stderr.readline()):
                sys.exit(f"the scorer did not start: {output.strip()}")
            output += line
        requests.get(f"{url[1]}/ready", timeout=60).raise_for_status()
        port = int(url[1].rpartition(":")[2])
        yield port, psutil.Process(process.pid), time.perf_counter() - start
    finally:
        process.terminate()
        process.communicate()


def measure_latencies(port, photos, clients, seconds=SECONDS):
    """Seconds of each response, shape (n,), to clients that send requests without a pause.

    Responses with status 429 are not counted. The bodies are made before, because the clients
    share the processors with the scorer.
    """
    latencies = []
    stop = time.perf_counter() + seconds
    bodies = [HEAD + photo + b"\r\n--x--\r\n" for photo in photos]

    def send_requests(number):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (start := time.perf_counter()) < stop:
            connection.request("POST", "/predict", bodies[number % len(bodies)], FORM)
            response = connection.getresponse()
            response.read()
            assert response.status in (200, 429), response.status
            if response.status == 200:
                latencies.append(time.perf_counter() - start)
            number += 1
        connection.close()

    threads = [threading.Thread(target=send_requests, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(latencies)


def list_processes(process):
    """A process and its descendants."""
    return [process, *process.children(recursive=True)]


def measure_cpu(process):
    """CPU seconds of a process and its descendants."""
    times = [child.cpu_times() for child in list_processes(process)]
    return sum(cpu.user + cpu.system for cpu in times)


def read_golden_images(folder):
    """Read the golden images of a model folder."""
    return [path.read_bytes() for path in sorted((Path(folder) / "golden").iterdir())]


def measure_rates(root, model, clients, seconds=SECONDS):
    """Measure responses per second, percentiles, and the CPU time of a response."""
    images = read_golden_images(model)
    variables = {"MODEL_DIR": str(model), "CANARY_RATIO": "0"}
    with (
        tempfile.TemporaryDirectory() as logs,
        start_scorer(logs, root=root, **variables) as (port, process, ready_s),
    ):
        measure_latencies(port, images, 1, 2)
        before = measure_cpu(process)
        latencies = measure_latencies(port, images, clients, seconds)
        cpu = measure_cpu(process) - before
        memory = sum(child.memory_info().rss for child in list_processes(process))
        p50, p95, p99 = (round(1000 * p) for p in np.percentile(latencies, (50, 95, 99)))
        return {
            "responses_per_second": round(len(latencies) / seconds, 1),
            "cpu_ms": round(1000 * cpu / len(latencies), 2),
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "ready_s": round(ready_s, 1),
            "memory_mb": round(memory / 1e6),
        }


def compare_versions(versions, clients):
    """Median figures of each version, a pair of folders by name, over alternating rounds."""
    rounds = [
        {name: measure_rates(*folders, clients) for name, folders in versions.items()}
        for _ in range(ROUNDS)
    ]
    return {
        name: {key: float(np.median([r[name][key] for r in rounds])) for key in figures}
        for name, figures in rounds[0].items()
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--before", nargs=3, metavar=("VERSION", "ROOT", "MODEL"))
    options = parser.parse_args(arguments)
    versions = {"now": (ROOT, MODEL.absolute())}
    if options.before:
        name, *folders = options.before
        versions = {name: [Path(folder).absolute() for folder in folders]} | versions
    results = {"processors": len(psutil.Process().cpu_affinity()), "clients": {}}
    for clients in CLIENTS:
        results["clients"][str(clients)] = compare_versions(versions, clients)
        print(clients, json.dumps(results["clients"][str(clients)], indent=1), flush=True)
    write_json(RESULTS, results)


if __name__ == "__main__":
    main()
