"""Worker processes with limits: for expensive images, for the canary, to try a new model."""

import multiprocessing
import os
import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from flowers.base.errors import RejectedImage
from flowers.images.decoding import load_pixels
from flowers.model.folder import load_predictor

# Of 19: beside a full load of cheap images a worker still gets a tenth of a processor.
NICE = 10
START_SECONDS = 60
# A clean process that forks: this one has threads, whose locks must not be copied. It imports what
# takes seconds before it forks.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [__name__, *(f"flowers.learning.{name}" for name in ("naive_bayes", "sgd", "svm"))]
)


class WorkerCrash(Exception):
    """A task ended its process, or took too long."""


class WorkerError(Exception):
    """A task raised an exception."""


class Worker:
    """One process of low priority that runs one task after the other, first in first out.

    `memory` is what tasks may allocate on top of the process at its start, in bytes.
    """

    def __init__(self, memory):
        self._memory, self._process, self._connection = memory, None, None
        self._queue = ThreadPoolExecutor(1)

    def run(self, function, *args, seconds):
        """Run a function of a module in the process, after those before it.

        Raises
        ------
        WorkerCrash
            If it ends the process or takes more seconds; the next task gets a new process.
        WorkerError
            If it raises.
        """
        result, error = self._queue.submit(self._exchange, (function, args), seconds).result()
        if error:
            raise WorkerError(error)
        return result

    def _exchange(self, task, seconds):
        try:
            if self._process is None or not self._process.is_alive():
                self._connection, theirs = _CONTEXT.Pipe()
                arguments = (theirs, self._memory)
                self._process = _CONTEXT.Process(target=_work, args=arguments, daemon=True)
                self._process.start()
                theirs.close()
                self._receive(START_SECONDS)
            self._connection.send(task)
            return self._receive(seconds)
        except (EOFError, OSError) as error:  # TimeoutError is an OSError
            self.kill()
            raise WorkerCrash(f"its process ended, or took too long ({error})") from error

    def _receive(self, seconds):
        if not self._connection.poll(seconds):
            raise TimeoutError(f"longer than {seconds} s")
        return self._connection.recv()

    def kill(self):
        """End the process; a running task has no result."""
        process, self._process = self._process, None
        if process:
            process.kill()

    def stop(self):
        """End the process, and take no more tasks."""
        self._queue.shutdown(wait=False, cancel_futures=True)
        self.kill()


def _work(connection, memory):
    """Run tasks within limits until the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    _limit(resource.RLIMIT_CORE, 0)
    if os.path.exists("/proc/self/statm"):  # macOS has no limit of the address space
        with open("/proc/self/statm") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, size + memory)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection.send(None)
    while True:
        function, args = connection.recv()
        try:
            reply = function(*args), None
        except BaseException as error:  # a model may raise anything
            reply = None, f"{type(error).__name__}: {error}"
        connection.send(reply)


def _limit(kind, value):
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def limit_processor_time(seconds):
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
    limit_processor_time(cpu_seconds)
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
    limit_processor_time(cpu_seconds)
    return _canary.predict([_canary.load(data)])[0]
