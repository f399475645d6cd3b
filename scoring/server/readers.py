"""Heavy photos are read by processes of lower priority: python -m scoring.server.readers is one.

A large photo takes a tenth of a second and more, in pieces in which no other thread of its process
gets on. In a process of its own it delays nobody, its memory is counted, and a file at which a
library hangs or falls over costs one photo. Such a process is started when it is needed and stays;
it ends when who started it does, however that comes, for then nobody writes to it any more.
"""

import json
import os
import queue
import resource
import subprocess
import sys
import time
import weakref
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import numpy as np

from flowers.base.errors import RejectedImage
from flowers.images.decoding import check_format, decode_image, read_header, resize_square

# Larger files, and more pixels times scans, are heavy; a smaller file is looked at in no time.
LIGHT_BYTES, LIGHT_WORK = 1_000_000, 8_000_000
# Of 19: next to a full load of small photos, heavy ones still get a tenth of a processor.
NICE = 10
# What is known to be heaviest takes a third of each; these stop what nobody knows of yet.
MAX_SECONDS, MAX_BYTES = 4, 1_000_000_000
_ROOT = Path(__file__).parents[2]


def light(photo):
    """Give the `ImageHeader` of a photo to be read at once, None if it is a heavy one.

    Raises
    ------
    RejectedImage
        If it shows without reading it that it cannot be read.
    """
    if len(photo) > LIGHT_BYTES and check_format(photo):
        return None
    header = read_header(photo)
    return header if header.cost <= LIGHT_WORK else None


class Readers:
    """Processes that read heavy photos, each one at a time.

    Parameters
    ----------
    most : int
        So many at a time.
    """

    def __init__(self, most):
        self._free = queue.LifoQueue()
        for _ in range(most):
            self._free.put(None)

    def read(self, photo, side, budget):
        """Read a photo, when a process is free.

        Parameters
        ----------
        photo : bytes
        side : int
            Of the square that is wanted, in pixels.
        budget : Budget
            Of its request. What reading cost is taken from it, also if it failed.

        Returns
        -------
        pixels : ndarray of uint8, shape (side, side, 3)
        size : tuple of int
            Width and height of the upright photo.
        seconds : float
            That it took.

        Raises
        ------
        RejectedImage
            If it cannot be read, or is too much for the budget.
        """
        budget.take(0)
        with self._one() as reader:
            start = time.perf_counter()
            told, data = reader.ask([side, budget.pixels], photo)
            seconds = time.perf_counter() - start
        budget.seconds -= told["seconds"]
        budget.take(told["pixels"])
        if told["fault"]:
            raise RejectedImage(*told["fault"])
        pixels = np.frombuffer(data, np.uint8).reshape(side, side, 3)
        return pixels, tuple(told["size"]), seconds

    @contextmanager
    def _one(self):
        reader = self._free.get()
        try:
            reader = reader or _Reader()
            yield reader
        finally:
            self._free.put(reader if reader and reader.in_step else None)


class _Reader:
    """The process, seen from the one that asks."""

    def __init__(self):
        self._connection, theirs = Pipe()
        paths = (str(_ROOT), os.environ.get("PYTHONPATH"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scoring.server.readers"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for who asks
        )
        theirs.close()
        self.in_step = True
        self._end = weakref.finalize(self, _end, self._connection, self._process)

    def ask(self, wanted, photo):
        self.in_step = False  # whatever comes between: the next photo never gets the answer to this
        try:
            self._connection.send_bytes(json.dumps(wanted).encode())
            self._connection.send_bytes(photo)
            answer = json.loads(self._connection.recv_bytes()), self._connection.recv_bytes()
        except (EOFError, OSError):
            fault = "unreadable", f"reading it ended a process ({self._end()})"
            return {"pixels": 0, "seconds": MAX_SECONDS, "fault": fault}, b""
        self.in_step = True
        return answer


def _end(connection, process):
    connection.close()
    process.kill()
    return process.wait()


def main():
    """Read photos until nobody asks any more."""
    os.nice(NICE)
    _limit(resource.RLIMIT_DATA, MAX_BYTES)
    asking = Connection(os.dup(0))
    while True:
        try:
            (side, max_pixels), photo = json.loads(asking.recv_bytes()), asking.recv_bytes()
            _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + MAX_SECONDS)
            start = time.process_time()
            told, data = _told(photo, side, max_pixels)
            told["seconds"] = time.process_time() - start
            asking.send_bytes(json.dumps(told).encode())
            asking.send_bytes(data)
        except (EOFError, OSError):
            return


def _limit(what, value):
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _told(photo, side, max_pixels):
    told = {"pixels": 0, "fault": None}
    try:
        header = read_header(photo)
        told["pixels"] = header.width * header.height
        if told["pixels"] > max_pixels:  # who asks refuses it
            return told, b""
        image, _ = decode_image(photo)
        return told | {"size": image.size}, resize_square(image, side).tobytes()
    except RejectedImage as error:
        return told | {"fault": (error.reason, error.detail)}, b""


if __name__ == "__main__":
    main()
