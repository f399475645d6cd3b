"""One function over many things: threads, processes, or the workers of a cluster."""

import mmap
import tempfile
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import joblib
import numpy as np
from joblib.parallel import get_active_backend

from flowers.base.errors import BadInput

# Bytes that tasks on threads may copy together, beside what they share.
COPIES = 500_000_000
# Where arrays lie that processes read; a cluster needs a folder that all its machines see.
_FOLDER = ContextVar("folder", default=None)


@contextmanager
def use_workers(jobs, backend, folder=None):
    """Give the parallel work inside so many workers; without it, work is done one by one.

    Parameters
    ----------
    jobs : int
        Workers; -1 is one per core. A cluster has its own number.
    backend : {"threading", "loky", "dask", "ray"}
        "dask" and "ray" come with the extra `cluster`; they join the cluster that
        DASK_SCHEDULER_ADDRESS or RAY_ADDRESS names, or start one on this machine.
    folder : path-like, optional
        Seen by all workers; arrays are handed to processes through files in it. Default: that of
        temporary files.

    Raises
    ------
    BadInput
        If the backend is not installed.
    """
    with _start_backend(backend):
        token = _FOLDER.set(folder)
        try:
            with joblib.parallel_config(backend, n_jobs=jobs, temp_folder=folder):
                yield
        finally:
            _FOLDER.reset(token)


def _start_backend(backend):
    """Register a backend with joblib; return the context in which it works."""
    try:
        if backend == "dask":
            from dask.distributed import Client

            return Client()
        if backend == "ray":
            from ray.util.joblib import register_ray

            register_ray()
    except ImportError as error:
        raise BadInput(
            f"backend {backend!r} is not installed ({error}): pip install '.[cluster]'"
        ) from error
    return nullcontext()


def use_threads():
    """Let the parallel work inside share memory, even where other work goes to a cluster."""
    return joblib.parallel_config("threading")


def max_workers_for(size):
    """How many tasks may be at work if each copies so many bytes.

    Returns
    -------
    int
        As many as there are workers, unless their copies would be more than ``COPIES``.
    """
    return max(1, min(joblib.effective_n_jobs(None), int(COPIES // max(size, 1))))


def parallel_map(function, tasks):
    """Results of ``function(*task)`` in the order of `tasks`, as they become ready.

    Parameters
    ----------
    function : callable
        Picklable unless the workers are threads.
    tasks : iterable of tuple
    """
    backend, _ = get_active_backend(prefer="threads")
    # Ray's backend has no generators: its results come all at the end.
    order = "generator" if backend.supports_return_generator else "list"
    parallel = joblib.Parallel(prefer="threads", return_as=order)
    yield from parallel(joblib.delayed(function)(*task) for task in tasks)


def pooled_map(function, items, jobs, backend):
    """Results of `function` in the order of `items`, as they become ready.

    Parameters
    ----------
    function : callable
        Picklable for every backend but "threading".
    items : iterable
    jobs, backend
        As of `use_workers`.

    Raises
    ------
    BadInput
        If the backend is not installed.
    """
    with use_workers(jobs, backend):
        yield from parallel_map(function, ((item,) for item in items))


@contextmanager
def share_arrays(*arrays):
    """Give arrays as tasks take them: as they are to threads, as files to processes.

    Yields
    ------
    list
        For `open_shared`, in a task.
    """
    backend, _ = get_active_backend(prefer="threads")
    if getattr(backend, "supports_sharedmem", False):
        yield list(arrays)
        return
    with tempfile.TemporaryDirectory(prefix="arrays-", dir=_FOLDER.get()) as folder:
        paths = []
        for i, array in enumerate(arrays):
            first = next(k for k in range(i + 1) if arrays[k] is array)  # one array, one file
            paths.append(_backing_file(array) or Path(folder, f"{first}.npy").resolve())
            if not paths[-1].exists():
                np.save(paths[-1], array)
        yield paths


def _backing_file(array):
    """Give the .npy file that a mapped array is the whole of, or None."""
    name = getattr(array, "filename", None)
    if name is None or not str(name).endswith(".npy"):
        return None
    whole = np.load(name, mmap_mode="r")
    same = all(getattr(whole, a) == getattr(array, a) for a in ("shape", "dtype", "strides"))
    return Path(name).resolve() if same else None


def open_shared(array):
    """Give the array that `share_arrays` made ready: mapped, if it is a file."""
    return _open_mapped(array) if isinstance(array, Path) else array


def stack_rows(sources, rows, folder):
    """Put the same rows of several arrays below one another, in a mapped file without a name.

    Parameters
    ----------
    sources : list of ndarray of shape (n, d)
    rows : ndarray of int
    folder : path-like
        Where the file lies, as long as the array is used.

    Returns
    -------
    ndarray of shape (len(sources) * len(rows), d)
        Its memory can be `drop_pages`.
    """
    shape = (len(sources) * len(rows), sources[0].shape[1])
    with tempfile.TemporaryFile(dir=folder) as file:  # the mapping keeps it
        X = np.memmap(file, sources[0].dtype, "w+", shape=shape)
    for k, source in enumerate(sources):
        np.take(source, rows, axis=0, out=X[k * len(rows) : (k + 1) * len(rows)], mode="clip")
        drop_pages(source)
    return X


def drop_pages(array):
    """Give the memory of a mapped file back: what is needed again is read again.

    Parameters
    ----------
    array : ndarray
        Anything but a view of a mapped file is left alone.
    """
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    # A copy on write ("c") is nowhere but in memory.
    if array is not None and array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        array._mmap.madvise(mmap.MADV_DONTNEED)


@lru_cache(maxsize=8)
def _open_mapped(path):
    return np.load(path, mmap_mode="r")
