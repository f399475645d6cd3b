"""Any number and kind of workers gives the same bits."""

import os
import subprocess
import sys

import pytest

from tests.imports import ROOT


def compute_digests(folder, *kinds, **variables):
    """Digests of results by kind of workers, all from one process."""
    module = "tests.flowers.base.worker_digests"
    command = [sys.executable, "-W", "ignore", "-m", module, str(folder), *kinds]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    digests = {kind: [] for kind in kinds}
    for line in done.stdout.splitlines():
        kind, _, digest = line.partition(": ")
        digests[kind].append(digest)
    return digests


@pytest.mark.slow
def test_workers_change_no_bit(tmp_path):
    digests = compute_digests(tmp_path, "threading:1", "threading:3", "loky:2")
    assert len(digests["threading:1"]) == 10
    assert digests["threading:1"] == digests["threading:3"] == digests["loky:2"]
