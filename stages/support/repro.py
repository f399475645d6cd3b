"""Run ``dvc repro`` while no other run is active in this folder: make repro and make drift."""

import fcntl
import os
import sys
from pathlib import Path

LOCK = Path(".dvc/tmp/repro.lock")


def acquire_lock():
    """Lock this folder or exit with one line; DVC releases its own lock while a stage runs."""
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


if __name__ == "__main__":
    with acquire_lock():
        from dvc.cli import main  # takes a second; the lock is checked before

        sys.exit(main(["repro", *sys.argv[1:]]))
