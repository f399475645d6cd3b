"""Fetch tagged models into models/production or models/canary, and push them to the DVC remote."""

import json
import os
import tempfile
from pathlib import Path

import yaml
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_data.index import DataIndexDirError

from flowers.base.errors import BadInput
from flowers.model.card import PROVENANCE, hash_folder, read_card, write_attestation
from flowers.model.folder import verify_files
from scoring.registry import tags
from scoring.registry.git import read_file_at

CANDIDATE = Path("models/candidate")
# The loader of libyaml, where PyYAML has it, is six times as fast; each check parses a lock file.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def get_stage_folder(stage):
    """Return the folder that the model of a stage is served from."""
    return CANDIDATE.with_name(stage)


def read_lock_outputs(lock):
    """Read the MD5 of every output, by path, from the text of a dvc.lock.

    The MD5 of a folder is that of its list of files, with DVC's suffix ".dir".
    """
    try:
        stages = (yaml.load(lock, LOADER) or {}).get("stages") or {}
        outs = [out for stage in stages.values() for out in stage.get("outs", [])]
        return {out["path"]: str(out["md5"]) for out in outs}
    except (AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise BadInput("dvc.lock is not a DVC lock file: run dvc repro and commit it") from error


def read_lock_md5(lock):
    """Read the MD5 of the model folder from a lock file, as in `read_lock_outputs`."""
    md5 = read_lock_outputs(lock).get(str(CANDIDATE))
    if md5 is None:
        raise BadInput(f"dvc.lock has no {CANDIDATE}: run dvc repro and commit dvc.lock")
    return md5


def verify_model(folder, expected):
    """Compare the bytes of a model folder with its card and with dvc.lock.

    Parameters
    ----------
    folder : path-like
    expected : str
        MD5 of the folder, as in `read_lock_md5`.

    Returns
    -------
    str
        MD5 of the model file; BadInput is raised if a byte differs or a file is missing.
    """
    card, _ = read_card(folder)
    verify_files(folder, card)
    md5 = hash_folder(folder)
    if md5 != expected:
        raise BadInput(f"the model folder has md5 {md5}, dvc.lock has {expected}")
    return card["model"]["md5"]


def read_provenance(folder):
    """Read provenance.json; {} if it is missing or unreadable."""
    try:
        return json.loads((folder / PROVENANCE).read_text())
    except (FileNotFoundError, ValueError):
        return {}


def compare_with_disk(stage, event):
    """Compare the folder of a stage with an assignment.

    Returns
    -------
    str
        "same", "absent", "altered", or the other version that the folder holds.
    """
    folder = get_stage_folder(stage)
    if not folder.is_dir():
        return "absent"
    provenance = read_provenance(folder)
    if any(provenance.get(key) != event[key] for key in ("version", "commit")):
        return provenance.get("version", "altered")
    try:
        verify_model(folder, read_lock_md5(read_file_at(event["commit"], "dvc.lock")))
    except BadInput:
        return "altered"
    return "same"


def fetch_model(stage):
    """Copy and verify the model of a stage's current tag; return a line for the user."""
    event = tags.find_current(tags.read_history(), stage)
    if event is None:
        command = "promote" if stage == "production" else stage
        raise BadInput(
            f"no version is in {stage}: run python -m scoring.registry {command}"
            f"{tags.explain_other_names()}"
        )
    folder = get_stage_folder(stage)
    expected = read_lock_md5(read_file_at(event["commit"], "dvc.lock"))
    summary = f"{folder} is {event['version']} ({event['commit'][:7]}, {event['ref']})"
    provenance = read_provenance(folder)
    if compare_with_disk(stage, event) == "same" and provenance["tag"] == event["ref"]:
        write_attestation(folder, provenance, expected)  # it may have been deleted
        return f"{summary}: nothing to fetch"
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        copy = Path(scratch) / "model"
        copy_model(event["commit"], copy)
        try:
            md5 = verify_model(copy, expected)
        except BadInput as error:
            raise BadInput(
                f"{event['version']} is refused: {error}; its copy in the DVC cache or remote is "
                "damaged: push it again from a machine that has it, or roll back"
            ) from error
        provenance = {key: event[key] for key in ("version", "commit")}
        provenance |= {"tag": event["ref"], "md5": md5}
        (copy / PROVENANCE).write_text(json.dumps(provenance, indent=2) + "\n")
        swap_folders(copy, folder, Path(scratch) / "old")
        write_attestation(folder, provenance, expected)
    return summary


def read_dvc_config():
    """Read the current DVC settings, to use them on an old commit whose remotes may be gone.

    They also resolve a relative remote as DVC does here; for another revision DVC resolves it from
    the root of the file system.
    """
    with Repo(".") as repo:
        return {key: dict(repo.config[key]) for key in ("core", "remote", "cache")}


def copy_model(commit, folder):
    """Copy the model of a commit from the DVC cache or remote; BadInput if neither has it."""
    config = read_dvc_config()
    # A link would let a change to the served file damage the cache.
    config["cache"]["type"] = ["reflink", "copy"]
    try:
        files = DVCFileSystem(rev=commit, config=config)
        files.get(CANDIDATE.as_posix(), str(folder), recursive=True)
    except (DvcException, DataIndexDirError, OSError) as error:
        remote = config["core"].get("remote")
        place = f"nor in {remote!r}" if remote else "and no remote is set (make store DIR=...)"
        raise BadInput(
            f"the model of commit {commit[:7]} is not in the DVC cache, {place}: run python -m "
            f"scoring.registry push where it was made, or dvc repro at that commit ({error})"
        ) from error


def swap_folders(new, folder, old):
    """Replace a folder by two renames, between which it is missing; undo the first on an error."""
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if old.exists():
            os.rename(old, folder)
        raise


def push_models():
    """Push every model that is or was in a stage, so that another clone can fetch it.

    ``dvc push`` sends the model that is checked out, which after a rollback is another one.
    Returns a line for each version; BadInput if a model that is in a stage cannot be pushed.
    """
    history = tags.read_history()
    current = [tags.find_current(history, stage) for stage in tags.STAGES]
    required = {event["commit"] for event in current if event}
    versions = {e["commit"]: e["version"] for e in history if e["stage"] in tags.STAGES}
    if not versions:
        raise BadInput(
            "no version was ever in a stage: run python -m scoring.registry promote"
            f"{tags.explain_other_names()}"
        )
    if not read_dvc_config()["core"].get("remote"):
        raise BadInput("no DVC remote is set: make store DIR=/path/of/a/folder")
    lines = []
    failures = []
    for commit, version in versions.items():
        try:
            lines.append(f"{version} ({commit[:7]}): {push_commit(commit)}")
        except BadInput as error:
            (failures if commit in required else lines).append(f"{version} is not pushed: {error}")
    if failures:
        raise BadInput("\n".join([*lines, *failures]))
    return "\n".join([*lines, "to share the tags: git push --tags"])


def push_commit(commit):
    """Verify the model of a commit, push it, and check that the remote has every file."""
    expected = read_lock_md5(read_file_at(commit, "dvc.lock"))
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=CANDIDATE.parent) as scratch:
        copy = Path(scratch) / "model"
        copy_model(commit, copy)
        verify_model(copy, expected)
    try:
        with Repo(".", rev=commit, config=read_dvc_config()) as repo:
            count = repo.push(targets=[CANDIDATE.as_posix()])
            store = repo.cloud.get_remote_odb()
            files = Tree.load(store, HashInfo("md5", expected))
            missing = [digest.value for _, _, digest in files if not store.exists(digest.value)]
    except (DvcException, OSError) as error:
        raise BadInput(f"the remote refuses it ({error}): check dvc remote list") from error
    if missing:
        raise BadInput(f"the remote lacks {', '.join(missing)} after the push: push again")
    return f"{count} files pushed" if count else "the remote has it already"
