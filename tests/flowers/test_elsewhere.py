"""Demands on workers: as many as there are, of any kind and in any place, give the same bits."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.imports import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def alone(folder):
    return digests("threading", 1, folder)


def digests(backend, jobs, folder):
    command = [sys.executable, "-W", "ignore", "-m", "tests.flowers.elsewhere"]
    done = subprocess.run(
        [*command, backend, str(jobs), str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # Ray tells on standard output what becomes of its workers.
    return [line for line in done.stdout.splitlines() if "(raylet)" not in line]


@pytest.mark.parametrize(
    ("backend", "jobs"), [("threading", 2), ("threading", 3), ("loky", 2), ("loky", 3)]
)
def test_the_number_and_kind_of_workers_change_no_bit(backend, jobs, folder, alone):
    assert len(alone) == 9
    assert digests(backend, jobs, folder) == alone


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_two_worker_processes_of_a_cluster_change_no_bit(backend, folder, alone):
    if not find_spec("distributed" if backend == "dask" else backend):
        pytest.skip(f"{backend} is not installed: pip install '.[cluster]'")
    assert digests(backend, 2, folder) == alone
