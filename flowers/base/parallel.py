"""Parallel work in threads, processes or the workers of a cluster."""

import mmap
import tempfile
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from joblib.parallel import get_active_backend

# Bytes that all tasks on threads may copy together, besides shared arrays.
MAX_COPY_BYTES = 500_000_000
STACKED_ROWS = 1024  # of a mapped file in memory at a time: 72 MB of Fisher vectors
# The cluster that does the work, if any.
_CLUSTER = ContextVar("cluster", default=None)
# Folder of the arrays that processes read; all machines of a cluster must see it.
_FOLDER = ContextVar("folder", default=None)
# Wraps the results of long work in a progress bar.
_PROGRESS = ContextVar("progress", default=None)


@contextmanager
def use_workers(jobs, backend, folder=None, progress=None):
    """Use a number of workers for the parallel work inside; without it, work is sequential.

    Parameters
    ----------
    jobs : int
        Workers; -1 is one per core. A cluster has its own number.
    backend : {"threading", "loky", "dask"}
        "dask" comes with the extra `cluster` and needs a running cluster, see
        `flowers.base.cluster`. Work inside `use_threads` runs in threads of this process.
    folder : path-like, optional
        All workers must see it: processes read arrays from files in it. Default: the folder of
        temporary files.
    progress : callable, optional
        Makes the progress bars of `track`, as `tqdm.tqdm` does.

    Raises
    ------
    BadInput
        If Dask is not installed, or a worker of the cluster cannot give the same bits.
    """
    context = nullcontext()
    if backend == "dask":
        from flowers.base.cluster import connect_cluster

        context = connect_cluster(folder)
        backend = "threading"  # of what the cluster does not do
    with context as cluster:
        values = {_CLUSTER: cluster, _FOLDER: folder, _PROGRESS: progress}
        tokens = {variable: variable.set(value) for variable, value in values.items()}
        try:
            with joblib.parallel_config(backend, n_jobs=jobs, temp_folder=folder):
                yield
        finally:
            for variable, token in tokens.items():
                variable.reset(token)


@contextmanager
def use_threads():
    """Run the parallel work inside in threads of this process, whatever the backend is."""
    token = _CLUSTER.set(None)
    try:
        with joblib.parallel_config("threading"):
            yield
    finally:
        _CLUSTER.reset(token)


def count_workers():
    """Return the number of tasks that run at once."""
    cluster = _CLUSTER.get()
    return max(1, cluster.count_threads()) if cluster else joblib.effective_n_jobs(None)


def max_workers_for(size):
    """Return the number of tasks that may run at once if each copies `size` bytes.

    Returns
    -------
    int
        The number of workers of this machine, reduced so that their copies stay below
        ``MAX_COPY_BYTES``.
    """
    return max(1, min(joblib.effective_n_jobs(None), int(MAX_COPY_BYTES // max(size, 1))))


def parallel_map(function, tasks):
    """Yield the results of ``function(*task)`` in the order of `tasks`, as they become ready.

    Parameters
    ----------
    function : callable
        Picklable unless the workers are threads.
    tasks : iterable of tuple
    """
    if cluster := _CLUSTER.get():
        yield from cluster.map_tasks(function, tasks)
        return
    parallel = joblib.Parallel(prefer="threads", return_as="generator")
    yield from parallel(joblib.delayed(function)(*task) for task in tasks)


def track(results, total, name):
    """Wrap an iterable of `total` results in a progress bar, if `use_workers` has one."""
    progress = _PROGRESS.get()
    return progress(results, total=total, desc=name) if progress else results


def pooled_map(function, items, jobs, backend):
    """Yield the results of ``function(item)`` in the order of `items`, as they become ready.

    Parameters
    ----------
    function : callable
        Picklable for every backend but "threading".
    items : iterable
    jobs, backend
        As in `use_workers`.

    Raises
    ------
    BadInput
        As `use_workers`.
    """
    with use_workers(jobs, backend):
        yield from parallel_map(function, ((item,) for item in items))


class _File(NamedTuple):
    """A file of an array; a worker of a cluster that keeps it open must notice a new one."""

    path: Path
    inode: int
    mtime_ns: int


@contextmanager
def share_arrays(*arrays):
    """Prepare arrays for tasks: unchanged for threads, as files for processes.

    Yields
    ------
    list
        Arguments for `open_shared` in a task.
    """
    backend, _ = get_active_backend(prefer="threads")
    if not _CLUSTER.get() and getattr(backend, "supports_sharedmem", False):
        yield list(arrays)
        return
    with tempfile.TemporaryDirectory(prefix="arrays-", dir=_FOLDER.get()) as folder:
        paths = []
        for i, array in enumerate(arrays):
            first = next(k for k in range(i + 1) if arrays[k] is array)  # one array, one file
            paths.append(_find_backing_file(array) or Path(folder, f"{first}.npy").resolve())
            if not paths[-1].exists():
                np.save(paths[-1], array)
        yield [_File(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in paths]


def _find_backing_file(array):
    """Return the .npy file that a memory map covers in full, or None."""
    name = getattr(array, "filename", None)
    if name is None or not str(name).endswith(".npy"):
        return None
    whole = np.load(name, mmap_mode="r")
    same = all(getattr(whole, a) == getattr(array, a) for a in ("shape", "dtype", "strides"))
    return Path(name).resolve() if same else None


def open_shared(array):
    """Open an array of `share_arrays`; a file is mapped into memory."""
    return _open_mapped(array) if isinstance(array, _File) else array


def stack_rows(sources, folder):
    """Stack rows of several arrays in a memory-mapped file without a name.

    Parameters
    ----------
    sources : list of (ndarray of shape (n, d), ndarray of int)
        Arrays, and the rows to take from each.
    folder : path-like
        Folder of the file, which exists as long as the array.

    Returns
    -------
    ndarray of shape (m, d)
        `drop_pages` can free its memory.
    """
    first = sources[0][0]
    shape = (sum(len(numbers) for _, numbers in sources), first.shape[1])
    with tempfile.TemporaryFile(dir=folder) as file:  # the mapping keeps it
        X = np.memmap(file, first.dtype, "w+", shape=shape)
    place = 0
    for source, numbers in sources:
        for start in range(0, len(numbers), STACKED_ROWS):
            part = numbers[start : start + STACKED_ROWS]
            np.take(source, part, axis=0, out=X[place : place + len(part)], mode="clip")
            place += len(part)
            drop_pages(source)
            drop_pages(X)
    return X


def drop_pages(array):
    """Free the memory of a memory-mapped file; its pages are read again when they are needed.

    Parameters
    ----------
    array : ndarray
        Nothing happens unless it is a view of a mapped file.
    """
    mode = None
    while isinstance(array, np.ndarray):
        mode = getattr(array, "mode", mode)
        array = array.base
    # In mode "c" changes exist only in memory.
    if isinstance(array, mmap.mmap) and mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        array.madvise(mmap.MADV_DONTNEED)


@lru_cache(maxsize=8)
def _open_mapped(file):
    return np.load(file.path, mmap_mode="r")
