"""Time and memory of decoding each hostile file, in a process of its own (Linux)."""

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.hostile_photos import generate_photos
from benchmarks.measure import read_memory_mb
from flowers.base.errors import RejectedImage
from flowers.images.decoding import load_pixels
from study.repository import ROOT

# Of a file below 20 MB.
MAX_SECONDS = 5
MAX_MB = 800


def measure_costs():
    """Measure the CPU seconds and the peak memory of decoding each hostile file.

    Returns
    -------
    dict of str to dict
        By name: ``bytes``, ``seconds``, ``mb``, and ``outcome``: "read" or the reason.
    """
    command = [sys.executable, "-m", "benchmarks.attack_photos"]
    costs = {}
    for name, data in generate_photos():
        result = subprocess.run(command, input=data, stdout=subprocess.PIPE, cwd=ROOT, check=True)
        costs[name] = {"bytes": len(data)} | json.loads(result.stdout)
    return costs


def main():
    """Decode the file on standard input and print the costs as JSON."""
    data = sys.stdin.buffer.read()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    memory = read_memory_mb("VmRSS")
    start = time.process_time()
    try:
        load_pixels(data)
        outcome = "read"
    except RejectedImage as error:
        outcome = error.reason
    seconds = round(time.process_time() - start, 2)
    costs = {"seconds": seconds, "mb": round(read_memory_mb() - memory), "outcome": outcome}
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
