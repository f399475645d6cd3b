"""Freed memory stays in the process."""

import os
import subprocess
import sys

import pytest

from flowers.base.memory import MALLOC_OPTIONS
from tests.imports import ROOT

COUNT_FAULTS = """
import resource
import {package}
import numpy as np

def make_arrays(count):
    for _ in range(count):
        rows = np.ones(10**6, np.float32)
        rows += rows * 2

make_arrays(10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
make_arrays(50)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is that of glibc")
@pytest.mark.parametrize("package", ["scoring", "stages.support"])
def test_large_arrays_get_the_memory_of_earlier_ones(package):
    script = COUNT_FAULTS.format(package=package)
    environment = {key: value for key, value in os.environ.items() if key not in MALLOC_OPTIONS}
    command = [sys.executable, "-c", script]
    faults = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    assert int(faults.stdout) < 500  # of 100,000
