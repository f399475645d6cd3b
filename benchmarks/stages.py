"""Time and peak memory of each stage on 1,000 and on 5,000 drawn photos."""

import json
import os
import re
import subprocess
import sys
import time

import yaml

from benchmarks.clean_copy import ENVIRONMENT, ROOT, clean_copy

PER_CLASS = (200, 1000)
RESULTS = ROOT / "benchmarks" / "stages.json"


def measured(command, cwd):
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


def main():
    results = {}
    for per_class in PER_CLASS:
        print(f"{5 * per_class} drawn photos\n{'stage':<12}{'wall s':>8}{'cpu s':>8}{'peak MB':>9}")
        with clean_copy() as copy:
            params = copy / "params.yaml"
            text = re.sub(r"per_class: \d+", f"per_class: {per_class}", params.read_text())
            params.write_text(text)
            stages = yaml.safe_load((copy / "dvc.yaml").read_text())["stages"]
            results[5 * per_class] = {}
            for name, stage in stages.items():
                wall, cpu, peak = measured(stage["cmd"], copy)
                print(f"{name:<12}{wall:>8.1f}{cpu:>8.1f}{peak:>9.0f}", flush=True)
                results[5 * per_class][name] = {
                    "wall_s": round(wall, 1),
                    "cpu_s": round(cpu, 1),
                    "peak_mb": round(peak),
                }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
