"""Parallel work on the workers of a Dask cluster that give the same bits as this process.

The scheduler needs no code of this project: it gets bytes, which only a worker loads.
"""

import logging
import os
import pickle
import platform
import tempfile
import time
from collections import deque
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

from flowers.base.determinism import DETERMINISTIC_ENVIRONMENT, read_library_versions
from flowers.base.errors import BadInput

_CODE = Path(__file__).parents[1]
_POLL_SECONDS = 2
# Tasks go to a worker in batches of about this duration: sending one takes some milliseconds.
_BATCH_SECONDS = 0.1
_MAX_BATCH = 32


def _hash_code():
    digest = sha256()
    for path in sorted(_CODE.rglob("*.py")):
        digest.update(f"{path.relative_to(_CODE)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


# Computed at import: a running worker keeps the code that it imported.
_DIGEST = _hash_code()


def describe_process():
    """Describe what the bits of this process depend on: code, libraries, processor and numerics.

    Returns
    -------
    dict of str to str
        Deterministic settings only where they are set.
    """
    settings = {k: os.environ[k] for k in DETERMINISTIC_ENVIRONMENT if k in os.environ}
    return {"code": _DIGEST, "machine": platform.machine()} | read_library_versions() | settings


@lru_cache(maxsize=8)
def find_fault(required, file):
    """Find why this worker cannot work for a client, or None.

    Parameters
    ----------
    required : tuple of (str, str)
        Items of `describe_process` of the client.
    file : str
        A file that the client wrote.
    """
    own = describe_process()
    where = f"worker {platform.node()}, process {os.getpid()}, "
    for name, value in required:
        if own.get(name) != value:
            label = f"code {own[name]} in {_CODE}" if name == "code" else f"{name} {own.get(name)}"
            return f"{where}has {label} instead of {value}"
    return None if Path(file).is_file() else f"{where}does not see the folder {Path(file).parent}"


class _UnfitWorkerError(Exception):
    """A task came to a worker that joined after the check and cannot give the same bits."""


class _Call:
    """A call that is made where its pickle is loaded, and leaves its result there."""

    def __init__(self, function, *arguments):
        self.parts = (function, arguments)

    def __reduce__(self):
        return self.parts


def _run_batch(required, file, content):
    """Run a batch of tasks; return the seconds it took and the results."""
    if fault := find_fault(required, file):
        raise _UnfitWorkerError(fault)
    start = time.monotonic()
    function, batch = pickle.loads(content)
    results = [function(*task) for task in batch]
    return time.monotonic() - start, results


class Cluster:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    client : dask.distributed.Client
    address : str
        Address of the scheduler, for messages.
    file : str
        A new file in the folder that all workers must see.
    timeout : float
        Seconds to wait for a worker when there is none.
    """

    def __init__(self, client, address, file, timeout):
        self.client = client
        self.address = address
        self.timeout = timeout
        self.requirements = (tuple(describe_process().items()), file)
        self._threads = 0
        self._counted = 0.0

    def make_error(self, fault):
        """Make the error that names the fault and how to start the workers."""
        return BadInput(
            f"BACKEND=dask: {fault}: start every worker by make worker SCHEDULER={self.address} in "
            "a copy of this code, on a machine that has the folder data under the same path"
        )

    def check_workers(self):
        """Wait for a worker, then check all of them in one round trip."""
        try:
            self.client.wait_for_workers(1, timeout=self.timeout)
        except TimeoutError:
            raise self.make_error(f"no worker within {self.timeout:g} s") from None
        check = pickle.dumps(_Call(find_fault, *self.requirements))
        for worker, fault in self.client.run(pickle.loads, check, on_error="return").items():
            if isinstance(fault, Exception):
                fault = f"worker {worker} does not have this code ({fault})"
            if fault:
                raise self.make_error(fault)

    def count_threads(self):
        """Count the threads of all workers, at most once a second."""
        if time.monotonic() - self._counted > 1:
            self._threads = sum(self.client.nthreads().values())
            self._counted = time.monotonic()
        return self._threads

    def map_tasks(self, function, tasks):
        """Yield the results of ``function(*task)`` in the order of the tasks."""
        tasks = iter(tasks)
        pending = deque()
        size = 1
        while True:
            while len(pending) < 2 * max(1, self.count_threads()):
                if not (batch := list(islice(tasks, size))):
                    break
                pending.append(self._submit(function, batch))
            if not pending:
                return
            seconds, results = self._wait_for(pending.popleft())
            size = min(2 * size, _MAX_BATCH) if seconds < _BATCH_SECONDS else size
            yield from results

    def _submit(self, function, batch):
        call = _Call(_run_batch, *self.requirements, pickle.dumps((function, batch)))
        return self.client.submit(pickle.loads, pickle.dumps(call), pure=False)

    def _wait_for(self, future):
        from dask.distributed import KilledWorker

        last = time.monotonic()
        while True:
            try:
                error = future.exception(timeout=_POLL_SECONDS)
                break
            except TimeoutError:
                if self.count_threads():
                    last = time.monotonic()
                elif time.monotonic() - last > self.timeout:
                    raise self.make_error(f"no worker for {self.timeout:g} s") from None
        if isinstance(error, _UnfitWorkerError):
            raise self.make_error(str(error))
        if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("flowers"):
            raise self.make_error(f"a worker does not have this code ({error})")
        if isinstance(error, KilledWorker):
            raise self.make_error("a task ended several workers, perhaps for lack of memory")
        return future.result()


@contextmanager
def connect_cluster(folder):
    """Connect to the Dask scheduler of ``DASK_SCHEDULER_ADDRESS`` and check its workers.

    Parameters
    ----------
    folder : path-like, optional
        All workers must see it.

    Yields
    ------
    Cluster

    Raises
    ------
    BadInput
        If Dask is not installed, no scheduler or worker answers within Dask's setting
        ``distributed.comm.timeouts.connect``, or a worker has other code, library versions or
        numerics, or does not see the folder. Also from the work inside, when workers are lost.
    """
    try:
        import dask
        from dask.distributed import Client
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise BadInput(
            f"BACKEND=dask is not installed ({error}): pip install --editable '.[cluster]'"
        ) from error
    address = dask.config.get("scheduler-address", None)
    start = "start one by dask scheduler, and set DASK_SCHEDULER_ADDRESS=tcp://its-host:8786"
    if not address:
        raise BadInput(f"BACKEND=dask has no scheduler: {start}")
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # an error is one line
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"DASK_SCHEDULER_ADDRESS={address}: {error}: {start}") from error
    timeout = dask.utils.parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    large = {"distributed.admin.large-graph-warning-threshold": "1 TB"}
    with client, tempfile.NamedTemporaryFile(prefix="cluster-", dir=folder) as file:
        cluster = Cluster(client, address, str(Path(file.name).resolve()), timeout)
        try:
            cluster.check_workers()
            with dask.config.set(large):
                yield cluster
        except (CancelledError, CommClosedError):
            raise BadInput(f"BACKEND=dask: the scheduler {address} ended: {start}") from None
