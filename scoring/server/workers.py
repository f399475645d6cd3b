"""Worker processes with limits: for expensive images, for the canary, to try a new model."""

import multiprocessing
import os
import resource
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

from pebble import ProcessExpired, ProcessPool

from flowers.base.errors import RejectedImage
from flowers.images.decoding import load_pixels
from flowers.model.folder import load_predictor

# Of 19: beside a full load of cheap images a worker still gets a tenth of a processor.
NICE = 10
# Seconds that a process may take to start; it imports numpy and perhaps scikit-learn.
START_SECONDS = 60
# A clean process that forks: this one has threads, whose locks must not be copied.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class WorkerCrash(Exception):
    """A task ended its process, or took too long."""


class Worker:
    """One process of low priority that runs one task after the other, in their order.

    `memory` is what tasks may allocate on top of the process at its start, in bytes.
    """

    def __init__(self, memory):
        self._memory, self._lock = memory, threading.Lock()
        self._pool = self._create_pool()

    def _create_pool(self):
        return ProcessPool(1, initializer=_start, initargs=(self._memory,), context=_CONTEXT)

    def run(self, function, *args, seconds, waiting=1):
        """Run a function in the process and return its result, or raise what it raises.

        Parameters
        ----------
        function : callable
            Of a module; it and what it takes and returns are pickled.
        seconds : float
            Time that it may take from its start.
        waiting : int
            Tasks in the queue at most, this one included.

        Raises
        ------
        WorkerCrash
        """
        with self._lock:
            if not self._pool.active:  # a process that is killed while idle breaks its pool
                self._pool = self._create_pool()
            pool, future = self._pool, self._pool.schedule(function, args, timeout=seconds)
        try:
            return future.result(START_SECONDS + waiting * (seconds + 1))
        except TimeoutError as error:
            if not future.done():  # the pool itself hangs
                pool.stop()
            raise WorkerCrash(f"it took longer than {seconds} s") from error
        except (ProcessExpired, BrokenProcessPool) as error:
            raise WorkerCrash(f"it ended its process ({error})") from error

    def stop(self):
        """Let the process end; tasks that wait or run have no result."""
        self._pool.stop()


def _start(memory):
    """Limit the process that this runs in, and end it when its parent ends."""
    os.nice(NICE)
    _limit(resource.RLIMIT_CORE, 0)
    with suppress(OSError):  # without /proc (macOS) the address space is not limited
        with open("/proc/self/statm") as file:
            _limit(
                resource.RLIMIT_AS,
                int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + memory,
            )
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _limit(kind, value):
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _limit_processor_time(seconds):
    """Let the system end this process if it works longer than this from now on."""
    _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + seconds)


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def decode(data, size, cpu_seconds):
    """Decode an image in a worker, as `load_pixels` does.

    Returns
    -------
    pixels : ndarray of shape (size, size, 3), uint8, or None
    dimensions : tuple of int, or None
    seconds : float
    rejection : tuple of str, or None
        Reason and detail.
    """
    _limit_processor_time(cpu_seconds)
    start = time.perf_counter()
    pixels = dimensions = rejection = None
    try:
        pixels, dimensions, _ = load_pixels(data, size)
    except RejectedImage as error:  # its two fields do not survive pickling
        rejection = error.reason, error.detail
    except MemoryError:
        rejection = "too many pixels", "decoding it takes more memory than an image may"
    return pixels, dimensions, time.perf_counter() - start, rejection


_canary = None


def load_canary(folder):
    """Load the canary in its worker, unless it is loaded."""
    global _canary
    _canary = _canary or load_predictor(folder)


def predict_canary(folder, data, cpu_seconds):
    """Classify an image by the canary."""
    load_canary(folder)
    _limit_processor_time(cpu_seconds)
    return _canary.predict([_canary.load(data)])[0]
