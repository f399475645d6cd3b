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
from scoring.registry.git import file_at
from scoring.registry.locked import outputs
from scoring.registry.tags import current, events

CANDIDATE = Path("models/candidate")


def folder_of(stage):
    """Where the model of a stage is served from."""
    return CANDIDATE.with_name(stage)


def locked(lock):
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
    found = outputs(lock)
    if str(CANDIDATE) in found:
        return found[str(CANDIDATE)]
    raise BadInput(f"dvc.lock has no {CANDIDATE}: run dvc repro and commit dvc.lock")


def verified(folder, expected):
    """The MD5 of the model in a folder whose bytes are those of dvc.lock and of its card.

    Parameters
    ----------
    folder : path-like
    expected : str
        As of `locked`.

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


def origin_of(folder):
    """What provenance.json says, {} where there is none that can be read."""
    try:
        return json.loads((folder / PROVENANCE).read_text())
    except (FileNotFoundError, ValueError):
        return {}


def on_disk(stage, event):
    """How the folder of a stage stands to the assignment `event`.

    Returns
    -------
    str
        "same", "absent", "altered", or the other version that is there.
    """
    folder = folder_of(stage)
    if not folder.is_dir():
        return "absent"
    origin = origin_of(folder)
    if (origin.get("version"), origin.get("commit")) != (event["version"], event["commit"]):
        return origin.get("version", "altered")
    try:
        verified(folder, locked(file_at(event["commit"], "dvc.lock")))
    except BadInput:
        return "altered"
    return "same"


def fetch(stage):
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
    event = current(events(), stage)
    if event is None:
        verb = "promote" if stage == "production" else stage
        raise BadInput(f"no version is in {stage}: python -m scoring.registry {verb}")
    folder, origin = folder_of(stage), {key: event[key] for key in ("version", "commit")}
    said = f"{folder} is {event['version']} ({event['commit'][:7]}, {event['ref']})"
    if on_disk(stage, event) == "same" and origin_of(folder)["tag"] == event["ref"]:
        # Written anew: it may have been lost, and what is served is compared with it.
        write_attestation(folder, origin_of(folder), locked(file_at(event["commit"], "dvc.lock")))
        return f"{said}: nothing to fetch"
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "model"
        expected = locked(file_at(event["commit"], "dvc.lock"))
        copy_out(event["commit"], fresh)
        try:
            origin |= {"tag": event["ref"], "md5": verified(fresh, expected)}
        except BadInput as error:
            raise BadInput(
                f"{event['version']} is refused: {error}; its copy in the DVC cache or remote is "
                "damaged: push it anew from a machine that has it, or roll back"
            ) from error
        (fresh / PROVENANCE).write_text(json.dumps(origin, indent=2) + "\n")
        put(fresh, folder, Path(scratch) / "old")
        write_attestation(folder, origin, expected)
    return said


def settings():
    """DVC's settings of today, for work on an old commit, whose remotes may be gone.

    A relative remote is one place here; for another revision DVC takes it from the root of the
    file system.
    """
    with Repo(".") as here:
        return {key: dict(here.config[key]) for key in ("core", "remote", "cache")}


def copy_out(commit, folder):
    """Copy the model folder of a commit from the cache or the remote."""
    config = settings()
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


def put(fresh, folder, aside):
    """Put a folder in the place of another: whole at any time, missing for two renames at most."""
    if folder.exists():
        os.rename(folder, aside)
    try:
        os.rename(fresh, folder)
    except OSError:
        if aside.exists():
            os.rename(aside, folder)
        raise
