"""Any number and kind of workers gives the same bits."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.imports import ROOT


def compute_digests(folder, *kinds):
    """Digests of results by kind of workers, all from one process."""
    module = "tests.flowers.base.worker_digests"
    command = [sys.executable, "-W", "ignore", "-m", module, str(folder), *kinds]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    digests = {kind: [] for kind in kinds}
    for line in done.stdout.splitlines():
        kind, _, digest = line.partition(": ")
        digests[kind].append(digest)
    return digests


@pytest.mark.parametrize(
    "kind",
    ["threading:3"] + [pytest.param(f"{b}:2", marks=pytest.mark.slow) for b in ("loky", "dask")],
)
def test_workers_change_no_bit(kind, tmp_path):
    if kind.startswith("dask") and not find_spec("distributed"):
        pytest.skip("dask is not installed: pip install '.[cluster]'")
    digests = compute_digests(tmp_path, "threading:1", kind)
    assert len(digests["threading:1"]) == 9
    assert digests[kind] == digests["threading:1"]
