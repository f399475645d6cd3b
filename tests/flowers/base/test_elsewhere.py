"""Demands on workers: as many as there are, of any kind and in any place, give the same bits."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.imports import ROOT

ALONE = "threading:1"


def digests(folder, *kinds):
    """Digests of results by kind of workers, all from one process."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.flowers.base.elsewhere", str(folder)]
    done = subprocess.run([*command, *kinds], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {kind: [] for kind in kinds}
    for line in done.stdout.splitlines():
        kind, _, told = line.partition(": ")
        # Ray tells on standard output what becomes of its workers.
        if kind in found:
            found[kind].append(told)
    return found


def assert_same_bits(folder, *kinds):
    alone, *others = digests(folder, ALONE, *kinds).values()
    assert len(alone) == 9
    for kind, found in zip(kinds, others, strict=True):
        assert found == alone, kind


def test_the_number_of_workers_changes_no_bit(tmp_path):
    assert_same_bits(tmp_path, "threading:3")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "dask", "ray"])
def test_two_worker_processes_change_no_bit(backend, tmp_path):
    if backend != "loky" and not find_spec("distributed" if backend == "dask" else backend):
        pytest.skip(f"{backend} is not installed: pip install '.[cluster]'")
    assert_same_bits(tmp_path, f"{backend}:2")
