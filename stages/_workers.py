"""Where the parallel work of a stage runs: JOBS and BACKEND say it, no result depends on it."""

from flowers.environment import backend, jobs
from flowers.parallel import workers


def stage_workers():
    """The workers for what is done inside; their processes read arrays from files in data/."""
    return workers(jobs(), backend(), "data")


def stage_processes():
    """The same for work in many small steps, which threads would only hold up."""
    return workers(jobs(), "loky" if backend() == "threading" else backend(), "data")
