"""The model of a stage: from its tag to verified files in models/production or models/canary."""

import json
import os
import tempfile
from pathlib import Path

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.index import DataIndexDirError

from flowers.base.errors import BadInput
from flowers.model.card import PROVENANCE, hash_folder, read_card, write_attestation
from flowers.model.folder import verify_files
from scoring.registry.git import read_file_at
from scoring.registry.locked import read_lock_outputs
from scoring.registry.tags import find_current, read_history

CANDIDATE = Path("models/candidate")


def get_stage_folder(stage):
    """Where the model of a stage is served from."""
    return CANDIDATE.with_name(stage)


def read_lock_md5(lock):
    """What a dvc.lock says of the model folder.

    Parameters
    ----------
    lock : str
        The text of dvc.lock.

    Returns
    -------
    str
        MD5 of the folder's list of files, with DVC's ending ".dir".
    """
    found = read_lock_outputs(lock)
    if str(CANDIDATE) in found:
        return found[str(CANDIDATE)]
    raise BadInput(f"dvc.lock has no {CANDIDATE}: run dvc repro and commit dvc.lock")


def verify_model(folder, expected):
    """The MD5 of the model in a folder whose bytes are those of dvc.lock and of its card.

    Parameters
    ----------
    folder : path-like
    expected : str
        As of `read_lock_md5`.

    Raises
    ------
    BadInput
        If a byte differs or a file is missing.
    """
    card, _ = read_card(folder)
    verify_files(folder, card)
    found = hash_folder(folder)
    if found != expected:
        raise BadInput(f"the model folder has md5 {found}, dvc.lock says {expected}")
    return card["model"]["md5"]


def read_provenance(folder):
    """What provenance.json says, {} where there is none that can be read."""
    try:
        return json.loads((folder / PROVENANCE).read_text())
    except (FileNotFoundError, ValueError):
        return {}


def compare_with_disk(stage, event):
    """How the folder of a stage stands to the assignment `event`.

    Returns
    -------
    str
        "same", "absent", "altered", or the other version that is there.
    """
    folder = get_stage_folder(stage)
    if not folder.is_dir():
        return "absent"
    origin = read_provenance(folder)
    if (origin.get("version"), origin.get("commit")) != (event["version"], event["commit"]):
        return origin.get("version", "altered")
    try:
        verify_model(folder, read_lock_md5(read_file_at(event["commit"], "dvc.lock")))
    except BadInput:
        return "altered"
    return "same"


def fetch_model(stage):
    """Bring the model that a stage's newest tag names, verified, into the folder of the stage.

    Parameters
    ----------
    stage : str

    Returns
    -------
    str
        One line for the user.

    Raises
    ------
    BadInput
        If no tag names a model, its files are nowhere, or a byte of them differs.
    """
    event = find_current(read_history(), stage)
    if event is None:
        verb = "promote" if stage == "production" else stage
        raise BadInput(f"no version is in {stage}: python -m scoring.registry {verb}")
    folder, origin = get_stage_folder(stage), {key: event[key] for key in ("version", "commit")}
    said = f"{folder} is {event['version']} ({event['commit'][:7]}, {event['ref']})"
    if compare_with_disk(stage, event) == "same" and read_provenance(folder)["tag"] == event["ref"]:
        # Written anew: it may have been lost, and what is served is compared with it.
        write_attestation(
            folder,
            read_provenance(folder),
            read_lock_md5(read_file_at(event["commit"], "dvc.lock")),
        )
        return f"{said}: nothing to fetch"
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "model"
        expected = read_lock_md5(read_file_at(event["commit"], "dvc.lock"))
        copy_model(event["commit"], fresh)
        try:
            origin |= {"tag": event["ref"], "md5": verify_model(fresh, expected)}
        except BadInput as error:
            raise BadInput(
                f"{event['version']} is refused: {error}; its copy in the DVC cache or remote is "
                "damaged: push it anew from a machine that has it, or roll back"
            ) from error
        (fresh / PROVENANCE).write_text(json.dumps(origin, indent=2) + "\n")
        swap_folders(fresh, folder, Path(scratch) / "old")
        write_attestation(folder, origin, expected)
    return said


def read_dvc_config():
    """DVC's settings of today, for work on an old commit, whose remotes may be gone.

    A relative remote is one place here; for another revision DVC takes it from the root of the
    file system.
    """
    with Repo(".") as here:
        return {key: dict(here.config[key]) for key in ("core", "remote", "cache")}


def copy_model(commit, folder):
    """Copy the model folder of a commit from the cache or the remote."""
    config = read_dvc_config()
    # Copied, not linked: a served file must not be the same bytes on disk as the cache's.
    config["cache"]["type"] = ["reflink", "copy"]
    try:
        files = DVCFileSystem(rev=commit, config=config)
        files.get(CANDIDATE.as_posix(), str(folder), recursive=True)
    except (DvcException, DataIndexDirError, OSError) as error:
        remote = config["core"].get("remote")
        where = (
            f"nor in the remote {remote!r}"
            if remote
            else "and no remote is set (make store DIR=...)"
        )
        raise BadInput(
            f"the model of commit {commit[:7]} is not in the DVC cache, {where}; run python -m "
            f"scoring.registry push where it was made, or dvc repro at that commit ({error})"
        ) from error


def swap_folders(fresh, folder, aside):
    """Put a folder in the place of another: whole at any time, missing for two renames at most."""
    if folder.exists():
        os.rename(folder, aside)
    try:
        os.rename(fresh, folder)
    except OSError:
        if aside.exists():
            os.rename(aside, folder)
        raise
