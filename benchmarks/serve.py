"""How fast the scorer answers: python -m benchmarks.serve starts one and measures it."""

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
import requests

MODEL = Path("models/candidate")
CLIENTS = (1, 4, 16)
SECONDS = 6


SCORER = ("scoring.server",)


@contextmanager
def server(logs, module=SCORER, **variables):
    """A scorer on a free port; yields its port, process id and seconds from start to ready."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        env=os.environ | {"PORT": "0", "MODEL_DIR": str(MODEL), "LOG_DIR": logs} | variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        while not (worker := re.search(r"worker with pid: (\d+)", said)):
            if not (line := process.stderr.readline()):
                sys.exit(f"the scorer did not start: {said.strip()}")
            said += line
        url = re.search(r"Listening at: (http://[^ ]+)", said)[1]
        # The socket is open before the worker is: this waits for its answer.
        requests.get(f"{url}/ready").raise_for_status()
        yield int(url.rpartition(":")[2]), int(worker[1]), time.perf_counter() - start
    finally:
        process.terminate()
        process.communicate()


def measure(port, photos, clients, seconds=SECONDS):
    """Seconds of each answer, shape (n,), with so many clients that ask without a pause.

    Those refused because too many wait are not among them.
    """
    url, times, stop = f"http://127.0.0.1:{port}", [], time.perf_counter() + seconds

    def client(first):
        number = first
        with requests.Session() as session:
            while (start := time.perf_counter()) < stop:
                photo = {"file": ("a", photos[number % len(photos)])}
                status = session.post(f"{url}/predict", files=photo).status_code
                assert status in (200, 429), status
                if status == 200:
                    times.append(time.perf_counter() - start)
                number += 1

    threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return np.array(times)


def resident(pid):
    """Megabytes of memory that a process holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1000


def main():
    photos = [path.read_bytes() for path in sorted((MODEL / "golden").iterdir())]
    with tempfile.TemporaryDirectory() as logs, server(logs) as (port, worker, cold):
        measure(port, photos, 1)
        print("clients  answers/s  p50 ms  p95 ms  p99 ms")
        for clients in CLIENTS:
            times = measure(port, photos, clients)
            p50, p95, p99 = 1000 * np.percentile(times, (50, 95, 99))
            rate = len(times) / SECONDS
            print(f"{clients:7}  {rate:9.1f}  {p50:6.0f}  {p95:6.0f}  {p99:6.0f}", flush=True)
        model = (MODEL / "model.joblib").stat().st_size / 1e6
        print(f"from start to ready: {cold:.1f} s")
        print(f"memory of the worker: {resident(worker):.0f} MB, its model file {model:.0f} MB")


if __name__ == "__main__":
    main()
