"""A worker process with limits: its tasks may hang, exit or crash without harm to this process."""

import multiprocessing
import os
import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Of 19: beside a full load of other work a worker still gets a tenth of a processor.
NICE = 10
# A clean process that forks: this one may have threads, and their locks must not be copied.
_CONTEXT = multiprocessing.get_context("forkserver")


class WorkerError(Exception):
    """A task raised an exception."""


class WorkerCrash(WorkerError):
    """A task ended its process, or took too long."""


class Worker:
    """One process of low priority that runs one task after the other, first in first out.

    `memory` is what tasks may allocate on top of the process at its start, in bytes; `cpu_seconds`
    is the CPU time that one task may take.
    """

    def __init__(self, memory, cpu_seconds=None):
        self._limits = memory, cpu_seconds
        self._process = None
        self._stopped = False
        self._connection = None
        self._queue = ThreadPoolExecutor(1)

    def run(self, function, *args, seconds):
        """Run a function of a module after the tasks before it; return its result.

        Raises `WorkerError`; after a `WorkerCrash` the next task gets a new process.
        """
        return self._queue.submit(self._run_task, (function, args), seconds).result()

    def _run_task(self, task, seconds):
        try:
            if self._process is None or not self._process.is_alive():
                self._connection, theirs = _CONTEXT.Pipe()
                arguments = (theirs, *self._limits)
                process = _CONTEXT.Process(target=_run_tasks, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._process = process
                if self._stopped:  # while it started
                    raise EOFError("stopped")
            self._connection.send(task)
            if not self._connection.poll(seconds):
                raise TimeoutError(f"longer than {seconds} s")
            result, error = self._connection.recv()
        except (EOFError, OSError) as error:  # TimeoutError is an OSError
            self._kill_process()
            raise WorkerCrash(f"its process ended, or took too long ({error})") from error
        if error:
            raise WorkerError(error)
        return result

    def _kill_process(self):
        process = self._process
        self._process = None
        if process:
            process.kill()

    def stop(self):
        """End the process, and take no more tasks."""
        self._stopped = True
        self._queue.shutdown(wait=False, cancel_futures=True)
        self._kill_process()


def _run_tasks(connection, memory, cpu_seconds):
    """Run tasks within limits until the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    statm = Path("/proc/self/statm")
    if statm.exists():  # macOS has no limit of the address space
        pages = int(statm.read_text().split()[0])
        _set_limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    while True:
        function, args = connection.recv()
        if cpu_seconds:
            _set_limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + cpu_seconds)
        try:
            reply = function(*args), None
        except BaseException as error:  # a model may raise anything
            reply = None, f"{type(error).__name__}: {error}"
        connection.send(reply)


def _exit_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _set_limit(kind, value):
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
