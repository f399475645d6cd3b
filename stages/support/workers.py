"""Where the parallel work of a stage runs: JOBS and BACKEND say it, no result depends on it."""

from flowers.base.environment import read_backend, read_jobs
from flowers.base.parallel import use_workers


def use_stage_workers():
    """The workers for what is done inside; their processes read arrays from files in data/."""
    return use_workers(read_jobs(), read_backend(), "data")


def use_stage_processes():
    """The same for work in many small steps, which threads would only hold up."""
    return use_workers(
        read_jobs(), "loky" if read_backend() == "threading" else read_backend(), "data"
    )
