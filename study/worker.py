"""Start a Dask worker with this code on its path and deterministic numerics (make worker)."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from flowers.base.environment import read_jobs
from flowers.base.errors import BadInput
from flowers.base.memory import keep_freed_memory
from stages.support.run import exit_with_one_line


def main(address):
    if not address:
        raise BadInput("SCHEDULER is not set: make worker SCHEDULER=tcp://its-host:8786")
    if not find_spec("distributed"):
        raise BadInput("Dask is not installed: pip install --editable '.[cluster]'")
    jobs = read_jobs()
    threads = [f"--nthreads={jobs}"] if jobs > 0 else []
    path = [str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
    keep_freed_memory()  # the worker inherits the variables
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    os.execv(sys.executable, [sys.executable, "-m", "dask", "worker", *threads, address])


if __name__ == "__main__":
    with exit_with_one_line("worker"):
        main(" ".join(sys.argv[1:]))
