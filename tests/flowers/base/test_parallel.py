"""Parallel work: order, errors, a missing backend, and the memory of mapped files."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from flowers.base import parallel
from flowers.base.errors import BadInput, RejectedImage
from flowers.base.parallel import (
    MAX_COPY_BYTES,
    drop_pages,
    max_workers_for,
    pooled_map,
    stack_rows,
    use_workers,
)

BACKENDS = ["threading", "loky"]


def square(number):
    if number < 0:
        raise RejectedImage("negative", str(number))
    return number**2


def get_process(_):
    return os.getpid()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("jobs", [1, 2, -1])
def test_results_come_in_the_order_of_the_items(backend, jobs):
    assert list(pooled_map(square, range(30), jobs, backend)) == [n**2 for n in range(30)]
    assert list(pooled_map(square, [], jobs, backend)) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_reaches_the_caller_unchanged(backend):
    with pytest.raises(RejectedImage) as caught:
        list(pooled_map(square, [1, 2, -3], 2, backend))
    assert (caught.value.reason, caught.value.detail) == ("negative", "-3")


def test_threads_run_in_this_process_and_loky_in_others():
    assert set(pooled_map(get_process, range(8), 2, "threading")) == {os.getpid()}
    assert os.getpid() not in set(pooled_map(get_process, range(8), 2, "loky"))


def test_the_first_result_is_ready_before_the_last_item_is_read():
    read = []

    def yield_items():
        for number in range(1000):
            read.append(number)
            yield number

    results = pooled_map(square, yield_items(), 2, "threading")
    assert next(results) == 0
    assert len(read) < 1000
    assert len(list(results)) == 999


def test_a_missing_cluster_backend_is_refused_by_name():
    if find_spec("dask"):
        pytest.skip("dask is installed")
    with pytest.raises(BadInput, match="dask"):
        list(pooled_map(square, [1], 2, "dask"))


def test_tasks_with_large_copies_run_one_at_a_time():
    with use_workers(4, "threading"):
        sizes = (0, MAX_COPY_BYTES / 4, MAX_COPY_BYTES / 2, 9 * MAX_COPY_BYTES)
        assert list(map(max_workers_for, sizes)) == [4, 4, 2, 1]
    assert max_workers_for(0) == 1


def measure_resident(array):
    """Kilobytes of an array that are in memory (Linux)."""
    address = array.__array_interface__["data"][0]
    parts = Path("/proc/self/smaps").read_text().split("\n")
    start = next(k for k, line in enumerate(parts) if line.startswith(f"{address:x}-"))
    return int(next(line for line in parts[start:] if line.startswith("Rss:")).split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_stacked_rows_free_their_memory_and_keep_their_values(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "STACKED_ROWS", 300)
    rows = np.arange(2 * 10**6, dtype=np.int32).reshape(1000, 2000)
    X = stack_rows([(rows, np.arange(0, 1000, 2)), (-rows, np.arange(1, 1000))], tmp_path)
    assert measure_resident(X) < 100 and not list(tmp_path.iterdir())
    np.testing.assert_array_equal(X, np.concatenate([rows[::2], -rows[1:]]))
    assert measure_resident(X) > 7000
    drop_pages(X[1:])
    assert measure_resident(X) < 100


def test_changes_that_exist_only_in_memory_are_kept(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros(5))
    own = np.load(tmp_path / "rows.npy", mmap_mode="c")
    own[2] = 1
    drop_pages(own)
    assert own[2] == 1
