"""Deterministic numerics: the same bits in every process and on any x86-64 processor."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT
from tests.imports import ROOT

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
SET = "from flowers.base.determinism import set_deterministic\nset_deterministic()\n"
PRINT = f"import os\nprint([os.environ.get(name) for name in {list(DETERMINISTIC_ENVIRONMENT)}])"

x86_64 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the settings are for x86-64 alone"
)


def run_script(script, **variables):
    """Output of a fresh process without the settings, except from `variables` or the script."""
    settings = DETERMINISTIC_ENVIRONMENT
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def has_avx512():
    """Whether numpy would use AVX-512 on this processor by default."""
    try:
        return "avx512vl" in Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False


@x86_64
def test_the_bits_are_the_same_on_one_core_and_from_the_environment():
    bits = run_script(SET + DIGEST)
    assert len(bits.splitlines()) == 4
    assert run_script(DIGEST, **DETERMINISTIC_ENVIRONMENT) == bits
    one_core = "import os\nos.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
    if hasattr(os, "sched_setaffinity"):
        assert run_script(one_core + SET + DIGEST) == bits


@pytest.mark.skipif(not has_avx512(), reason="without AVX-512 the settings change nothing")
def test_without_the_settings_avx512_gives_other_bits():
    lines = run_script(SET + DIGEST).splitlines()
    others = run_script(DIGEST).splitlines()
    differing = {a.rsplit(" ", 1)[0] for a, b in zip(lines, others, strict=True) if a != b}
    assert {"gram", "float32 exp", "float64 exp"} <= differing


@x86_64
def test_the_settings_reach_this_process_and_its_children():
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {PRINT!r}])"
    expected = f"{list(DETERMINISTIC_ENVIRONMENT.values())}\n"
    loaded = "import sys\nprint('numpy' in sys.modules)"
    assert run_script(SET + loaded) == "False\n"
    assert run_script(SET + PRINT) == run_script(SET + child) == expected


@x86_64
@pytest.mark.parametrize("name", DETERMINISTIC_ENVIRONMENT)
def test_a_value_of_the_user_stays(name):
    expected = list((DETERMINISTIC_ENVIRONMENT | {name: "mine"}).values())
    assert run_script(SET + PRINT, **{name: "mine"}) == f"{expected}\n"


@x86_64
def test_native_numerics_leave_the_kernels_to_the_processor():
    assert run_script(SET + PRINT, NUMERICS="native") == "[None, '1', None]\n"


@pytest.mark.parametrize("package", ["scoring", "stages"])
def test_other_numerics_are_one_line(package):
    env = os.environ | {"NUMERICS": "fast"}
    command = [sys.executable, "-c", f"import {package}"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "NUMERICS=fast: set it to one of pinned, native\n")


@x86_64
@pytest.mark.parametrize("package", ["scoring", "stages"])
def test_importing_numpy_first_is_a_warning(package):
    late = "import warnings\nwarnings.simplefilter('error')\nimport numpy\n"
    late += f"try:\n    import {package}\nexcept RuntimeWarning as warning:\n    print(warning)"
    assert "numpy was imported before" in run_script(late)
    assert run_script(late, **DETERMINISTIC_ENVIRONMENT) == ""
    early = f"import warnings\nwarnings.simplefilter('error')\nimport {package}\nimport numpy"
    assert run_script(early) == ""
