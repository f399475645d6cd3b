"""Features of photos on one and on two Dask workers: python -m benchmarks.cluster [SOURCE].

Each worker is a process with one thread. Runs on one worker and on two alternate, so that other
load on the machine meets both; the median of three is reported. The features are those of the
recipe fisher-small, of an archive or folder or of the last run. Needs the extra `cluster`. Writes
benchmarks/cluster.json.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from benchmarks.measure import time_call
from benchmarks.race import load_photos
from benchmarks.serve import measure_cpu
from flowers.base.parallel import use_workers
from flowers.base.tables import write_json
from flowers.features.extraction import extract_batches
from study.folds import extract_rows, read_codebook_params
from study.repository import ENVIRONMENT, ROOT

PHOTOS = 128
REPEATS = 3
RESULTS = ROOT / "benchmarks" / "cluster.json"


@contextmanager
def start_cluster(workers, folder):
    """Start a scheduler and workers; yield the scheduler's address and the worker processes."""
    from dask.distributed import Client

    file = Path(folder, f"{workers}.json")
    scheduler = ["dask", "scheduler", "--port=0", "--no-dashboard", f"--scheduler-file={file}"]
    options = {"cwd": ROOT, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen([sys.executable, "-m", *scheduler], env=ENVIRONMENT, **options)]
    try:
        while not file.exists():
            time.sleep(0.1)
        with Client(scheduler_file=str(file), set_as_default=False) as client:
            address = client.scheduler_info()["address"]
            command = [sys.executable, "-m", "study.worker", address]
            env = ENVIRONMENT | {"JOBS": "1"}
            processes += [subprocess.Popen(command, env=env, **options) for _ in range(workers)]
            client.wait_for_workers(workers, timeout=120)
        yield address, [psutil.Process(process.pid) for process in processes[1:]]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def extract_on_cluster(address, folder, sizes, preprocessing):
    """Extract all features on the workers of a scheduler; return a digest of them."""
    import dask

    images = np.load(Path(folder, "images.npy"), mmap_mode="r")
    digest = sha256()
    with dask.config.set({"scheduler-address": address}), use_workers(1, "dask", folder):
        for _, rows in extract_batches(images, sizes, preprocessing, np.arange(len(images))):
            digest.update(np.ascontiguousarray(rows))
    return digest.hexdigest()


def measure_run(cluster, *arguments):
    """Digest of the features, and the figures of one run."""
    address, workers = cluster
    before = [measure_cpu(worker) for worker in workers]
    digest, wall, client_cpu = time_call(extract_on_cluster, address, *arguments)
    worker_cpu = [measure_cpu(worker) - s for worker, s in zip(workers, before, strict=True)]
    return digest, {"wall_s": wall, "client_cpu_s": client_cpu, "worker_cpu_s": max(worker_cpu)}


def main(source=None):
    images = load_photos(source)[0]
    images = images[np.linspace(0, len(images) - 1, PHOTOS).astype(int)]
    sizes = np.tile(images.shape[1:3], (len(images), 1))
    with use_workers(-1, "threading"):
        params = read_codebook_params("fisher-small")
        _, preprocessing = extract_rows(images, sizes, np.arange(len(images)), params)
    runs = {1: [], 2: []}
    digests = set()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        np.save(Path(folder, "images.npy"), images)
        clusters = {n: stack.enter_context(start_cluster(n, folder)) for n in runs}
        for _ in range(REPEATS):
            for n, figures in runs.items():
                digest, run = measure_run(clusters[n], folder, sizes, preprocessing)
                digests.add(digest)
                figures.append(run)
                print(n, *(f"{key} {value:.1f}" for key, value in run.items()), flush=True)
    if len(digests) != 1:
        sys.exit("cluster: the features differ between the runs")
    medians = {
        n: {key: round(median(run[key] for run in figures), 1) for key in figures[0]}
        for n, figures in runs.items()
    }
    machine = {"photos": len(images), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    write_json(RESULTS, machine | {"workers": medians})


if __name__ == "__main__":
    main(*sys.argv[1:2])
