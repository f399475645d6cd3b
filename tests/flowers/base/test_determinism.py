"""Demands on the pins: the same bits in every process and on any x86 processor."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT

ROOT = Path(__file__).parents[3]
DIGEST = """
import hashlib
import numpy as np
from flowers.learning.gram import apply_rbf, compute_squared_distances
from flowers.learning.standardisation import compute_moments
X = np.random.default_rng(0).integers(0, 256, (400, 3000), dtype=np.uint8)
distances, norms = compute_squared_distances(X, *compute_moments(X))
parts = {"gram": distances.tobytes(), "norms": norms.tobytes()}
parts["float32 exp"] = apply_rbf(distances, 1 / 3000).tobytes()
parts["float64 exp"] = np.exp(np.random.default_rng(1).normal(size=10_000)).tobytes()
for name, content in parts.items():
    print(name, hashlib.sha256(content).hexdigest())
"""
PIN = "from flowers.base.determinism import set_deterministic\nset_deterministic()\n"

x86_64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the pins are for x86-64 alone"
)


def run(script, **variables):
    """What a fresh process prints that has the pins only from `variables` or from the script."""
    clean = {
        name: value for name, value in os.environ.items() if name not in DETERMINISTIC_ENVIRONMENT
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=clean | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def has_avx512():
    """Whether numpy without the pins would use AVX-512 on this processor."""
    try:
        return "avx512vl" in Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False


@x86_64
def test_the_number_of_cores_does_not_change_a_bit():
    one_core = "import os\nos.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    alone = run((one_core if hasattr(os, "sched_setaffinity") else "") + PIN + DIGEST)
    assert alone == run(PIN + DIGEST) and len(alone.splitlines()) == 4


@x86_64
def test_pinning_in_python_is_pinning_in_the_environment():
    assert run(PIN + DIGEST) == run(DIGEST, **DETERMINISTIC_ENVIRONMENT)


@pytest.mark.skipif(not has_avx512(), reason="no AVX-512 here: the pins change nothing")
def test_the_pins_hold_back_a_processor_that_would_give_other_bits():
    pinned, free = run(PIN + DIGEST).splitlines(), run(DIGEST).splitlines()
    differing = [
        line.rsplit(" ", 1)[0] for line, other in zip(pinned, free, strict=True) if line != other
    ]
    assert {"gram", "float32 exp", "float64 exp"} <= set(differing)


SHOW = f"import os\nprint([os.environ.get(name) for name in {list(DETERMINISTIC_ENVIRONMENT)}])"


@x86_64
def test_the_pins_reach_this_process_and_its_children():
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SHOW!r}])"
    assert run(PIN + SHOW) == run(PIN + child) == f"{list(DETERMINISTIC_ENVIRONMENT.values())}\n"


@x86_64
@pytest.mark.parametrize("name", DETERMINISTIC_ENVIRONMENT)
def test_a_value_the_user_has_set_stays(name):
    expected = [
        ("mine" if pin == name else value) for pin, value in DETERMINISTIC_ENVIRONMENT.items()
    ]
    assert run(PIN + SHOW, **{name: "mine"}) == f"{expected}\n"


def test_pinning_loads_neither_numpy_nor_anything_that_does():
    loaded = run("import sys\n" + PIN + "print('numpy' in sys.modules)")
    assert loaded == "False\n"


@x86_64
@pytest.mark.parametrize("package", ["scoring", "stages"])
def test_pinning_after_numpy_is_said_once_and_before_it_is_silent(package):
    late = "import warnings\nwarnings.simplefilter('error')\nimport numpy\n"
    late += f"try:\n    import {package}\nexcept RuntimeWarning as said:\n    print(said)"
    assert "numpy was imported before" in run(late)
    assert run(late, **DETERMINISTIC_ENVIRONMENT) == ""
    early = f"import warnings\nwarnings.simplefilter('error')\nimport {package}\nimport numpy"
    assert run(early + f"\nimport {package}") == ""
