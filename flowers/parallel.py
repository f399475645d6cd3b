"""One function over many photos: threads, processes, or the workers of a cluster."""

import joblib

from flowers.errors import BadInput


def mapped(function, items, jobs, backend):
    """Results of `function` in the order of `items`, as they become ready.

    Parameters
    ----------
    function : callable
        Picklable for every backend but "threading".
    items : iterable
    jobs : int
        Workers; -1 is one per core. A cluster has its own number.
    backend : {"threading", "loky", "dask", "ray"}
        "dask" and "ray" come with the extra `cluster`; they join the cluster that
        DASK_SCHEDULER_ADDRESS or RAY_ADDRESS names, or start one on this machine.

    Raises
    ------
    BadInput
        If the backend is not installed.
    """
    try:
        client = _connect(backend)
    except ImportError as error:
        raise BadInput(
            f"backend {backend!r} is not installed ({error}): pip install '.[cluster]'"
        ) from error
    tasks = (joblib.delayed(function)(item) for item in items)
    try:
        with joblib.parallel_config(backend, n_jobs=jobs):
            # Ray's backend has no generators: its results come all at the end.
            order = "list" if backend == "ray" else "generator"
            yield from joblib.Parallel(return_as=order)(tasks)
    finally:
        if client is not None:
            client.close()


def _connect(backend):
    """Say what a cluster backend needs before joblib knows it; something to close, or None."""
    if backend == "dask":
        from dask.distributed import Client

        return Client()
    if backend == "ray":
        from ray.util.joblib import register_ray

        register_ray()
    return None
