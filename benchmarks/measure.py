"""What benchmarks of scale share: a process for each competitor, its time and its memory."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from study.repository import ROOT


def run_competitor(module, *arguments, environment=None):
    """Figures that a benchmark prints as JSON, in its last line, for one competitor.

    It is called as ``--as NAME ...``, in a process of its own: what one loads or holds is no
    other's.
    """
    command = [sys.executable, "-m", module, "--as", *map(str, arguments)]
    environment = environment or os.environ
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments[0]} failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def time_call(function, *arguments):
    """What a function returns, and the wall and processor seconds that it took."""
    begin, cpu = time.perf_counter(), time.process_time()
    found = function(*arguments)
    return found, time.perf_counter() - begin, time.process_time() - cpu


def sort_by_size(found):
    """Figures whose keys are numbers, the smallest first."""
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def read_peak_mb():
    """The most memory this process has had; ``ru_maxrss`` begins with that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
