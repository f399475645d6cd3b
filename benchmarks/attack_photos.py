"""What hostile photos cost a process of their own that reads them."""

import os
import time
from pathlib import Path

from benchmarks.hostile_photos import generate_photos
from flowers.base.errors import RejectedImage
from flowers.images.decoding import load_pixels

MAX_SECONDS, MAX_MB = 1, 300


def costs():
    """Seconds of the processor and peak memory that reading each hostile photo takes (Linux).

    Returns
    -------
    dict of str to dict
        By name: ``bytes``, ``seconds``, ``mb``, and ``answer``, "read" or the reason.
    """
    return {name: {"bytes": len(photo)} | _cost(photo) for name, photo in generate_photos()}


def _cost(photo):
    answer, told = os.pipe()
    if not (child := os.fork()):
        os.close(answer)
        os.write(told, repr(_read(photo)).encode())
        os._exit(0)
    os.close(told)
    with open(answer) as said:
        words = said.read()
    os.waitpid(child, 0)
    seconds, mb, reason = words.strip("()").split(", ", 2)
    return {"seconds": float(seconds), "mb": float(mb), "answer": reason.strip("'\"")}


def _read(photo):
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start = _memory("VmRSS"), time.process_time()
    try:
        load_pixels(photo)
        answer = "read"
    except RejectedImage as error:
        answer = error.reason
    seconds = time.process_time() - start
    return round(seconds, 2), round(_memory("VmHWM") - before), answer


def _memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1000
