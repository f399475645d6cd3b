"""Time and peak memory of each stage: python -m benchmarks.stages [ARCHIVE].

On 1,000 and on 5,000 drawn photos; if an archive or a folder is named, on 5,000 made from its
photos instead. What was measured of the others stays.
"""

import json
import os
import re
import subprocess
import sys
import time

import yaml

from benchmarks.enlarged import create_archive
from study.repository import ENVIRONMENT, ROOT, clone_repository

PER_CLASS = (200, 1000)
REAL = 5000  # photos, as many as the public set has
RESULTS = ROOT / "benchmarks" / "stages.json"


def measure_command(command, cwd):
    """Wall seconds, processor seconds and peak MB of a command and the children it waited for."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=cwd, env=ENVIRONMENT, shell=True, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    # ru_maxrss is in KiB on Linux.
    cpu = usage.ru_utime + usage.ru_stime
    return time.monotonic() - start, cpu, usage.ru_maxrss / 1024


def set_fetch_params(text, params):
    """The text of params.yaml with other params of `fetch`, each named once in it."""
    for key, value in params.items():
        text = re.sub(rf"(?m)^(  {key}:) [^#\n]*", rf"\1 {value} ", text, count=1)
    return text


def measure(params):
    """Figures of each stage with other params of `fetch`."""
    print(f"{'stage':<12}{'wall s':>8}{'cpu s':>8}{'peak MB':>9}")
    found = {}
    with clone_repository() as copy:
        file = copy / "params.yaml"
        file.write_text(set_fetch_params(file.read_text(), params))
        stages = yaml.safe_load((copy / "dvc.yaml").read_text())["stages"]
        for name, stage in stages.items():
            wall, cpu, peak = measure_command(stage["cmd"], copy)
            print(f"{name:<12}{wall:>8.1f}{cpu:>8.1f}{peak:>9.0f}", flush=True)
            found[name] = {
                "wall_s": round(wall, 1),
                "cpu_s": round(cpu, 1),
                "peak_mb": round(peak),
            }
    return found


def main(source=None):
    results = json.loads(RESULTS.read_text())
    if source is None:
        for per_class in PER_CLASS:
            print(f"{5 * per_class} drawn photos")
            results[str(5 * per_class)] = measure({"per_class": per_class})
    else:
        with create_archive(source, REAL) as archive:
            print(f"{REAL} real photos, most of them altered")
            results["real"] = measure({"source": "archive", "path": archive})
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
