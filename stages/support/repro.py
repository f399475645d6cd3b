"""dvc repro for one at a time, where Ctrl-C is one line: what make repro and make drift run."""

import fcntl
import logging
import os
import sys
from pathlib import Path

from flowers.base.errors import INTERRUPTED

LOCK = Path(".dvc/tmp/repro.lock")


class Interruption(logging.Filter):
    """Keeps back what DVC logs of a Ctrl-C: the stage, or this command, has said it in a line."""

    of_dvc = of_stage = False

    def filter(self, record):
        error = record.exc_info[1] if record.exc_info else None
        while error:
            self.of_dvc |= isinstance(error, KeyboardInterrupt)
            self.of_stage |= str(error).endswith(("exited with 130", "exited with -2"))
            error = error.__cause__
        return not (self.of_dvc or self.of_stage)


def acquire_lock():
    """Hold the lock of this folder until the process ends; stop at once if another has it.

    DVC lets go of its own lock while a stage runs, so that two runs would stop each other later.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    file = LOCK.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        sys.exit(
            f"repro: another run is at work in {Path.cwd()} (process {file.read().strip()}): "
            "wait until it ends, or stop it"
        )
    file.truncate(0)
    print(os.getpid(), file=file, flush=True)
    return file


def main(arguments):
    lock = acquire_lock()
    from dvc.cli import main as dvc  # takes a second: a run that has to wait hears it before

    interruption = Interruption()
    for logger in ("dvc", "dvc.cli", "dvc.commands.repro"):
        logging.getLogger(logger).addFilter(interruption)
    code = dvc(["repro", *arguments])
    lock.close()
    if interruption.of_dvc:
        print("repro: interrupted; the same command goes on from here", file=sys.stderr)
    return INTERRUPTED if interruption.of_dvc or interruption.of_stage else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
