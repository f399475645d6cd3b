"""A worker process runs tasks with limits; a task that crashes changes no other."""

import os
import resource
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flowers.images.decoding import load_pixels
from scoring.worker import NICE, Worker, WorkerCrash, WorkerError
from tests.flowers.images.photo_files import make_samples
from tests.scoring.server.service import PATIENCE, is_alive, wait_until

MEMORY = 1_500_000_000


@pytest.fixture(scope="module", name="worker")
def start_worker():
    started = Worker(MEMORY)
    yield started
    started.stop()


def use_processor(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, -1))
    while True:
        pass


def read_limits():
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), soft


def test_its_pixels_are_those_of_this_process(worker):
    for name, data in make_samples().items():
        pixels, size, _ = load_pixels(data, 32)
        decoded, dimensions, _ = worker.run(load_pixels, data, 32, seconds=PATIENCE)
        assert dimensions == size
        np.testing.assert_array_equal(decoded, pixels, err_msg=name)


@pytest.mark.parametrize(
    ("function", "args", "seconds"),
    [
        (os._exit, (0,), 10),
        (signal.raise_signal, (signal.SIGSEGV,), 10),
        (time.sleep, (600,), 0.5),
        (use_processor, (1,), 60),
    ],
)
def test_a_task_that_crashes_or_hangs_fails_alone(worker, function, args, seconds):
    with pytest.raises(WorkerCrash):
        worker.run(function, *args, seconds=seconds)
    assert worker.run(abs, -1, seconds=PATIENCE) == 1


def test_an_exception_of_a_task_is_raised_here(worker):
    for function, args in ((divmod, (1, 0)), (bytes, (2 * MEMORY,)), (sys.exit, (0,))):
        with pytest.raises(WorkerError):
            worker.run(function, *args, seconds=PATIENCE)


def test_it_has_lower_priority_and_limited_memory_and_is_replaced_when_killed(worker):
    pid, priority, address_space = worker.run(read_limits, seconds=PATIENCE)
    assert priority == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
    if Path("/proc/self/statm").exists():
        assert MEMORY < address_space < 3 * MEMORY
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    time.sleep(0.5)  # its parent, the fork server, reports the end
    assert worker.run(abs, -1, seconds=PATIENCE) == 1


def test_tasks_run_in_their_order(worker):
    with ThreadPoolExecutor() as pool:
        futures = []
        for _ in range(4):
            futures.append(pool.submit(worker.run, time.monotonic, seconds=PATIENCE))
            time.sleep(0.05)
        times = [future.result(60) for future in futures]
    assert times == sorted(times)


def test_stop_ends_the_process():
    worker = Worker(MEMORY)
    pid, _, _ = worker.run(read_limits, seconds=PATIENCE)
    worker.stop()
    wait_until(lambda: not is_alive(pid))
