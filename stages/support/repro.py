"""Run ``dvc repro`` while no other run is active in this folder: make repro and make drift."""

import fcntl
import os
import sys
from pathlib import Path

LOCK = Path(".dvc/tmp/repro.lock")


def acquire_lock():
    """Lock this folder until the process ends; exit with one line if another run holds the lock.

    DVC releases its own lock while a stage runs, so a second run would stop the first one later.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    file = LOCK.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        sys.exit(
            f"repro: another run is active in {Path.cwd()} (process {file.read().strip()}): "
            "wait until it ends, or stop it"
        )
    file.truncate(0)
    print(os.getpid(), file=file, flush=True)
    return file


def main(arguments):
    with acquire_lock():
        from dvc.cli import main as run_dvc  # takes a second; the lock is checked before

        return run_dvc(["repro", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
