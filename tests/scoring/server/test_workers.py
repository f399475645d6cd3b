"""A worker process runs tasks with limits, and a task that crashes costs itself alone."""

import os
import resource
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flowers.base.errors import RejectedImage
from flowers.base.worker import NICE, Worker, WorkerCrash, WorkerError
from flowers.images.decoding import load_pixels
from scoring.server.workers import decode_image
from tests.flowers.images.photo_files import make_png, make_samples
from tests.scoring.server.service import until

MEMORY = 1_500_000_000


@pytest.fixture(scope="module")
def worker():
    worker = Worker(MEMORY)
    yield worker
    worker.stop()


def use_processor(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, -1))
    while True:
        pass


def limits():
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), soft


@pytest.mark.parametrize("name", make_samples())
def test_its_pixels_are_those_of_this_process(worker, name):
    expected, size, _ = load_pixels(make_samples()[name], 32)
    pixels, dimensions, seconds = worker.run(decode_image, make_samples()[name], 32, seconds=10)
    assert dimensions == size and seconds > 0
    np.testing.assert_array_equal(pixels, expected)


def test_a_rejection_has_the_same_words(worker):
    whole = make_samples()["PNG"]
    for data in (b"no image", whole[:-30], whole[:40], make_png(30_000, 30_000, 1, 0, bytes(9))):
        with pytest.raises(RejectedImage) as here:
            load_pixels(data, 32)
        rejection = worker.run(decode_image, data, 32, seconds=10)
        assert (rejection.reason, rejection.detail) == (here.value.reason, here.value.detail)


CRASHES = {
    "exit": (os._exit, (0,), 10),
    "segmentation fault": (signal.raise_signal, (signal.SIGSEGV,), 10),
    "hang": (time.sleep, (600,), 0.5),
    "processor time": (use_processor, (1,), 60),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_task_that_crashes_or_hangs_costs_itself_alone(worker, name):
    function, args, seconds = CRASHES[name]
    with pytest.raises(WorkerCrash):
        worker.run(function, *args, seconds=seconds)
    assert worker.run(abs, -1, seconds=10) == 1


def test_what_a_task_raises_is_raised_here(worker):
    for function, args in ((divmod, (1, 0)), (bytes, (2 * MEMORY,)), (sys.exit, (0,))):
        with pytest.raises(WorkerError):
            worker.run(function, *args, seconds=10)


def test_a_process_that_is_killed_while_idle_is_replaced(worker):
    pid, _, _ = worker.run(limits, seconds=10)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not _is_alive(pid))
    assert worker.run(abs, -1, seconds=10) == 1


def test_it_works_with_lower_priority_and_limited_memory(worker):
    _, priority, address_space = worker.run(limits, seconds=10)
    assert priority == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
    if Path("/proc/self/statm").exists():
        assert MEMORY < address_space < 3 * MEMORY


def test_tasks_run_in_their_order(worker):
    with ThreadPoolExecutor() as pool:
        futures = []
        for _ in range(4):
            futures.append(pool.submit(worker.run, time.monotonic, seconds=10))
            time.sleep(0.05)
        times = [future.result(60) for future in futures]
    assert times == sorted(times)


def test_stop_ends_the_process():
    worker = Worker(MEMORY)
    pid, _, _ = worker.run(limits, seconds=10)
    worker.stop()
    until(lambda: not _is_alive(pid))


def _is_alive(pid):
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
