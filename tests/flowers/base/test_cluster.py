"""A Dask cluster of separate processes: equal bits, or one line."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT
from flowers.base.errors import BadInput
from flowers.base.parallel import parallel_map, use_workers
from flowers.learning.standardisation import compute_moments
from tests.flowers.base.test_worker_digests import compute_digests
from tests.imports import ROOT

dask = pytest.importorskip("dask", reason="pip install --editable '.[cluster]'")
pytest.importorskip("distributed")  # sets defaults of dask.config
pytestmark = pytest.mark.slow
WITHOUT_PINS = {
    name: value for name, value in os.environ.items() if name not in DETERMINISTIC_ENVIRONMENT
}
WORKER = [sys.executable, "-m", "study.worker"]
PLAIN_WORKER = [sys.executable, "-m", "dask", "worker", "--no-nanny", "--no-dashboard"]


class Processes:
    """A scheduler without code of this project, and its workers.

    Parameters
    ----------
    folder : pathlib.Path
        Where they run, with a copy of the code in ``code``.
    """

    def __init__(self, folder):
        self.folder = folder
        self.code = folder / "code"
        for name in ("flowers", "study"):
            shutil.copytree(ROOT / name, self.code / name)
        self.processes = []
        (folder / "elsewhere").mkdir()
        command = [sys.executable, "-m", "dask", "scheduler", "--port=0", "--no-dashboard"]
        process = self.start(*command, "--host=127.0.0.1", cwd=folder / "elsewhere")
        self.address = self.read_log(process, "Scheduler at:").split()[-1]

    def start(self, *command, cwd, **variables):
        env = WITHOUT_PINS | variables
        with (self.folder / f"{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(command, cwd=cwd, env=env, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def read_log(self, process, text):
        """Wait for a line of a log, and return it."""
        log = self.folder / f"{self.processes.index(process)}.log"
        while not (lines := [line for line in log.read_text().splitlines() if text in line]):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        return lines[0]

    def start_worker(self, *command, cwd=None, **variables):
        variables = {"JOBS": "1"} | variables
        process = self.start(*command, self.address, cwd=cwd or self.code, **variables)
        self.read_log(process, "Registered to")
        return process

    def stop(self, kept=0):
        for process in reversed(self.processes[kept:]):
            process.send_signal(signal.SIGINT)
            process.wait(30)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    processes = Processes(tmp_path_factory.mktemp("cluster"))
    yield processes
    processes.stop()


@pytest.fixture
def cluster(scheduler):
    """A cluster without workers."""
    timeout = {"distributed.comm.timeouts.connect": "3s"}
    with dask.config.set({"scheduler-address": scheduler.address} | timeout):
        yield scheduler
    scheduler.stop(kept=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_from_another_folder_give_the_same_bits(cluster, workers, tmp_path):
    for _ in range(workers):
        cluster.start_worker(*WORKER)
    variables = {"DASK_SCHEDULER_ADDRESS": cluster.address}
    digests = compute_digests(tmp_path, "threading:1", "dask:1", **variables)
    assert digests["dask:1"] == digests["threading:1"] and len(digests["dask:1"]) == 10


def test_one_worker_of_one_thread_does_the_work(cluster):
    cluster.start_worker(*WORKER)
    with use_workers(1, "dask"):
        (process,) = set(parallel_map(os.getpid, [()] * 100))
    assert process != os.getpid()


def test_a_worker_notices_that_a_file_was_replaced(cluster, tmp_path):
    cluster.start_worker(*WORKER)
    for value in (3, 4):
        np.save(tmp_path / "new.npy", np.full((40, 3), value, np.uint8))
        (tmp_path / "new.npy").replace(tmp_path / "rows.npy")
        with use_workers(1, "dask", tmp_path):
            mean, _ = compute_moments(np.load(tmp_path / "rows.npy", mmap_mode="r"))
        assert mean.tolist() == [value] * 3


HIDDEN = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"']
WRONG = {
    "no path": (PLAIN_WORKER, "empty", {}, "does not have this code"),
    "other code": (WORKER, "other", {}, r"has code \w{12} in .*/flowers instead of \w{12}"),
    "no pins": (PLAIN_WORKER, "code", {}, "has OPENBLAS_CORETYPE None instead of Haswell"),
    "native": (WORKER, "code", {"NUMERICS": "native"}, "has OPENBLAS_CORETYPE None instead of"),
    "other folder": ([*HIDDEN, "DATA", *WORKER], "code", {}, "does not see the folder .*/data"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_worker_that_cannot_give_the_same_bits_is_one_line(cluster, fault, tmp_path):
    command, code, variables, message = WRONG[fault]
    data = tmp_path / "data"
    data.mkdir()
    if command[0] == "unshare":
        if subprocess.run([*HIDDEN, data, "true"], capture_output=True).returncode:
            pytest.skip("this user cannot mount a folder")
        command = [str(data) if part == "DATA" else part for part in command]
    if code == "other":
        shutil.copytree(cluster.code, tmp_path / code)
        (tmp_path / code / "flowers/splits.py").write_text("")
    elif code == "empty":  # a package that hides an installed one
        (tmp_path / code / "flowers").mkdir(parents=True)
        (tmp_path / code / "flowers/__init__.py").touch()
    folder = cluster.code if code == "code" else tmp_path / code
    cluster.start_worker(*command, cwd=folder, PYTHONPATH=str(folder), **variables)
    with pytest.raises(BadInput) as refused, use_workers(1, "dask", data):
        pass
    assert "\n" not in str(refused.value)
    assert refused.match(f"BACKEND=dask: worker .* {message}.*: start every worker by make worker")
    assert not list(data.iterdir())


def test_a_wrong_worker_that_joins_later_ends_the_run_with_one_line(cluster):
    first = cluster.start_worker(*WORKER)
    message = "OPENBLAS_CORETYPE None instead of Haswell: start every worker"
    with pytest.raises(BadInput, match=message), use_workers(1, "dask"):
        cluster.start_worker(*PLAIN_WORKER, cwd=cluster.code)
        first.kill()
        list(parallel_map(time.sleep, [(0.1,)] * 100))


def test_a_stage_without_workers_ends_with_one_line(cluster, fresh_repo, tmp_path):
    repo = fresh_repo.copy_to(tmp_path / "repo")
    (repo.path / "data").mkdir()
    variables = {"BACKEND": "dask", "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    command = [sys.executable, "-m", "stages.resize"]
    for address, message in (
        (cluster.address, "resize: BACKEND=dask: no worker within 1 s: start every worker"),
        ("tcp://127.0.0.1:9", "resize: DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:9: Timed out"),
        ("", "resize: BACKEND=dask has no scheduler: start one by dask scheduler"),
    ):
        env = repo.get_environment() | variables | {"DASK_SCHEDULER_ADDRESS": address}
        done = subprocess.run(command, cwd=repo.path, env=env, capture_output=True, text=True)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1 and line.startswith(message)


def test_a_run_goes_on_after_a_lost_worker_and_ends_after_the_last_one(cluster):
    workers = [cluster.start_worker(*PLAIN_WORKER, cwd=cluster.code, **DETERMINISTIC_ENVIRONMENT)]
    workers.append(cluster.start_worker(*WORKER))
    with use_workers(1, "dask"):
        results = parallel_map(time.sleep, [(0.1,)] * 40)
        next(results)
        workers[0].kill()
        assert len(list(results)) == 39
    with pytest.raises(BadInput, match="no worker for 3 s: start"), use_workers(1, "dask"):
        results = parallel_map(time.sleep, [(0.1,)] * 400)
        next(results)
        workers[1].send_signal(signal.SIGINT)
        list(results)


def test_a_lost_scheduler_ends_the_run_with_one_line(cluster, tmp_path):
    other = Processes(tmp_path)
    other.start_worker(*WORKER)
    with pytest.raises(BadInput, match="the scheduler .* ended"):
        with dask.config.set({"scheduler-address": other.address}), use_workers(1, "dask"):
            results = parallel_map(time.sleep, [(0.1,)] * 400)
            next(results)
            other.processes[0].kill()
            list(results)
    other.stop()
