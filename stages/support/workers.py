"""Parallel workers of a stage, from JOBS and BACKEND; no result depends on them."""

from flowers.base.environment import read_backend, read_jobs
from flowers.base.parallel import use_workers
from stages.support.files import show_progress


def use_stage_workers():
    """Use the workers of JOBS and BACKEND inside; processes read arrays from files in data/."""
    return use_workers(read_jobs(), read_backend(), "data", show_progress)


def use_stage_processes():
    """Use processes instead of threads inside: for work in many small steps of Python."""
    backend = read_backend()
    return use_workers(read_jobs(), "loky" if backend == "threading" else backend, "data")
