"""Time and memory of a command, of a function, and of a competitor in a process of its own."""

import json
import os
import re
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from study.repository import ENVIRONMENT, ROOT


def measure_command(command, cwd):
    """``wall_s``, ``cpu_s`` and ``peak_mb`` of a command and its children, rounded (Linux)."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, shell=True, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024  # from KiB
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mb": round(peak)}


def require_packages(*names):
    """Exit with one line if one of these packages of the extra `peers` is not installed."""
    if missing := [name for name in names if find_spec(name) is None]:
        sys.exit(f"not installed: {', '.join(missing)}; run pip install '.[peers]'")


def run_competitor(module, *arguments, environment=None):
    """Run ``python -m MODULE --as ARGUMENTS`` and return the JSON in its last line.

    In a process of its own, the time and memory of one competitor do not depend on another.
    """
    command = [sys.executable, "-m", module, "--as", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{module} {arguments[0]} failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def time_call(function, *arguments):
    """Call a function; return its result, wall seconds, and CPU seconds with ended children."""
    wall = time.perf_counter()
    cpu = read_cpu_s()
    result = function(*arguments)
    return result, time.perf_counter() - wall, read_cpu_s() - cpu


def read_cpu_s():
    """CPU seconds of this process and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def sort_by_size(results):
    """Sort figures whose keys are numbers."""
    return dict(sorted(results.items(), key=lambda item: int(item[0])))


def read_memory_mb(name="VmHWM"):
    """Memory of this process in MB (Linux), its peak by default; ``ru_maxrss`` is its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024
