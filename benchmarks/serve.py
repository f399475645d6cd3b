"""How fast the scorer answers: python -m benchmarks.serve.

Three models are served: raw pixels, which is the candidate, hog and colour, and learned features;
the last two are made as DVC experiments, or taken from the folders that --models has for them.
With --before REVISION each is served by the code of that commit as well, in turn; without it the
last such race stays. Writes serve.json.
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
import requests

from scoring.server.settings import processors
from study import experiments
from study.recipes import RECIPES
from study.repository import ROOT, run_command

MODEL = Path("models/candidate")
RESULTS = ROOT / "benchmarks" / "serve.json"
MEASURED = ("pixels", "hog-colour", "fisher-small")
CLIENTS, SECONDS = (1, 4, 16), 4
# Rounds in which the code before and that of now take turns.
ROUNDS = 3
SCORER = ("scoring.server",)


@contextmanager
def server(logs, module=SCORER, root=ROOT, **variables):
    """A scorer on a free port; yields its port, process id and seconds from start to ready."""
    start = time.perf_counter()
    model = {"PORT": "0", "MODEL_DIR": str(MODEL.absolute()), "LOG_DIR": logs}
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=root,
        env=os.environ | model | variables,
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

    Those refused because too many wait are not among them. What is sent is made before: the
    clients share the processors with the scorer.
    """
    times, stop = [], time.perf_counter() + seconds
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    bodies = [head + photo + b"\r\n--x--\r\n" for photo in photos]
    kind = {"Content-Type": "multipart/form-data; boundary=x"}

    def client(number):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (start := time.perf_counter()) < stop:
            connection.request("POST", "/predict", bodies[number % len(bodies)], kind)
            response = connection.getresponse()
            response.read()
            assert response.status in (200, 429), response.status
            if response.status == 200:
                times.append(time.perf_counter() - start)
            number += 1
        connection.close()

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


def busy(pid):
    """Seconds that a process kept a processor busy (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def golden(folder):
    """The photos of a model folder."""
    return [path.read_bytes() for path in sorted((Path(folder) / "golden").iterdir())]


def rates(folder, root, clients, seconds=SECONDS):
    """Answers a second, percentiles, and what an answer costs the scorer's process."""
    with (
        tempfile.TemporaryDirectory() as logs,
        server(logs, root=root, MODEL_DIR=str(folder), CANARY_RATIO="0") as (port, worker, cold),
    ):
        measure(port, golden(folder), 1, 2)
        before = busy(worker)
        times = measure(port, golden(folder), clients, seconds)
        p50, p95, p99 = (round(1000 * p) for p in np.percentile(times, (50, 95, 99)))
        return {
            "answers_a_second": round(len(times) / seconds, 1),
            "processor_ms": round(1000 * (busy(worker) - before) / len(times), 2),
            **{"p50_ms": p50, "p95_ms": p95, "p99_ms": p99},
            **{"ready_s": round(cold, 1), "memory_mb": round(resident(worker))},
        }


def race(folder, roots, clients=16):
    """`rates` of several versions of the code: medians of rounds in which they take turns."""
    rounds = [{name: rates(folder, root, clients) for name, root in roots} for _ in range(ROUNDS)]
    return {
        name: {key: float(np.median([r[name][key] for r in rounds])) for key in rounds[0][name]}
        for name, _ in roots
    }


def models(given, folder):
    """The model folder of each recipe that is measured."""
    for name in MEASURED:
        slug = re.sub(r"\W+", "-", name)
        if given:
            yield name, Path(given, slug).absolute()
        elif name == "pixels":
            yield name, MODEL.absolute()
        else:
            experiments.run_experiment(f"serve-{slug}", RECIPES[name], "promote")
            experiments.get_candidate(experiments.find_commit(f"serve-{slug}"), folder / slug)
            yield name, folder / slug


@contextmanager
def versions(revision):
    """Names and folders of the code that is raced."""
    if revision is None:
        yield [("now", ROOT)]
        return
    commit = experiments.run_git("rev-parse", "--short", revision)
    with tempfile.TemporaryDirectory(prefix="flowers-") as folder:
        run_command("git", "clone", "--quiet", "--no-checkout", str(ROOT), folder)
        run_command("git", "checkout", "--quiet", commit, cwd=folder)
        yield [(commit, Path(folder)), ("now", ROOT)]


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--models", help="a folder with a model folder for each recipe")
    parser.add_argument("--before", help="a commit whose scorer is raced")
    options = parser.parse_args(arguments)
    results = {"processors": processors(), "models": {}}
    known = json.loads(RESULTS.read_text())["models"] if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder, versions(options.before) as roots:
        for name, model in models(options.models, Path(folder)):
            found = results["models"][name] = {
                "model_mb": round((model / "model.joblib").stat().st_size / 1e6, 1),
                "clients": {str(clients): rates(model, ROOT, clients) for clients in CLIENTS},
                "race": race(model, roots) if options.before else known.get(name, {}).get("race"),
            }
            print(name, json.dumps(found, indent=1), flush=True)
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
