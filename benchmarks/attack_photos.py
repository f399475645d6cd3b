"""Time and memory of decoding each hostile file in a process of its own."""

import json
import os
import time
from pathlib import Path

from benchmarks.hostile_photos import generate_photos
from flowers.base.errors import RejectedImage
from flowers.images.decoding import load_pixels

# Of a file below 20 MB.
MAX_SECONDS, MAX_MB = 5, 800


def measure_costs():
    """Measure the CPU seconds and the peak memory of decoding each hostile file (Linux).

    Returns
    -------
    dict of str to dict
        By name: ``bytes``, ``seconds``, ``mb``, and ``answer``: "read" or the reason.
    """
    return {name: {"bytes": len(data)} | _measure(data) for name, data in generate_photos()}


def _measure(data):
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.close(reader)
        os.write(writer, json.dumps(_decode(data)).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        result = json.load(pipe)
    os.waitpid(child, 0)
    return result


def _decode(data):
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    memory, start = _read_memory("VmRSS"), time.process_time()
    try:
        load_pixels(data)
        answer = "read"
    except RejectedImage as error:
        answer = error.reason
    seconds = round(time.process_time() - start, 2)
    return {"seconds": seconds, "mb": round(_read_memory("VmHWM") - memory), "answer": answer}


def _read_memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1000
