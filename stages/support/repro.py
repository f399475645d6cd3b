"""Run ``dvc repro`` while no other run is active in this folder (make repro)."""

import fcntl
import os
import sys
from pathlib import Path

from flowers.base.determinism import read_numerics
from flowers.base.errors import BadInput
from flowers.base.tables import write_text
from stages.support.run import NUMERICS_FILE, check_estimator, check_params, read_yaml

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


def check_before_run():
    """Check the parameters, the classifier, and the source if the stage fetch would read it again.

    DVC deletes the outputs of a stage before it runs the stage.
    """
    params = read_yaml("params.yaml")
    check_params(params)
    check_estimator(params["train_other"])
    is_frozen = read_yaml("dvc.yaml")["stages"]["fetch"].get("frozen")
    lock = read_yaml("dvc.lock") if Path("dvc.lock").exists() else {}
    last = lock.get("stages", {}).get("fetch", {}).get("params", {}).get("params.yaml", {})
    if params["fetch"] != last.get("fetch") and not is_frozen:
        from flowers.sources.choice import check_source  # half a second, seldom needed

        check_source(params["fetch"])


def record_numerics():
    """Record NUMERICS in a file that all stages depend on: a change of it reruns all."""
    if read_numerics() == "native":
        write_text(NUMERICS_FILE, "native\n")
    else:
        NUMERICS_FILE.unlink(missing_ok=True)


if __name__ == "__main__":
    with acquire_lock():
        try:
            check_before_run()
            record_numerics()
        except (BadInput, OSError) as error:
            sys.exit(f"repro: {error}")
        from dvc.cli import main  # takes a second; the lock is checked before

        sys.exit(main(["repro", *sys.argv[1:]]))
