"""Fetch tagged models into models/production or models/canary, and push them to the DVC remote."""

import contextlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import yaml

from flowers.base.errors import BadInput
from flowers.model.card import PROVENANCE, hash_folder, read_card, write_attestation
from flowers.model.folder import verify_files
from scoring.registry import objects, remotes, tags
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


@cache
def read_folder_md5(commit):
    """Read the MD5 of the model folder in the dvc.lock of a commit, as in `read_lock_outputs`."""
    md5 = read_lock_outputs(read_file_at(commit, "dvc.lock")).get(str(CANDIDATE))
    if md5 is None:
        raise BadInput(f"dvc.lock has no {CANDIDATE}: run dvc repro and commit dvc.lock")
    return md5


def verify_model(folder, expected):
    """Compare the bytes of a model folder with its card and with dvc.lock.

    Parameters
    ----------
    folder : path-like
    expected : str
        MD5 of the folder, as in `read_lock_outputs`.

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
        content = json.loads((folder / PROVENANCE).read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


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
        verify_model(folder, read_folder_md5(event["commit"]))
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
    expected = read_folder_md5(event["commit"])
    summary = f"{folder} is {event['version']} ({event['commit'][:7]}, {event['ref']})"
    provenance = read_provenance(folder)
    if compare_with_disk(stage, event) == "same" and provenance.get("tag") == event["ref"]:
        write_attestation(folder, provenance, expected)  # it may have been deleted
        return f"{summary}: nothing to fetch"
    folder.parent.mkdir(exist_ok=True)
    with copy_verified(event["version"], event["commit"], folder.parent) as (copy, md5):
        provenance = {key: event[key] for key in ("version", "commit")}
        provenance |= {"tag": event["ref"], "md5": md5}
        (copy / PROVENANCE).write_text(json.dumps(provenance, indent=2) + "\n")
        swap_folders(copy, folder, copy.with_name("old"))
        write_attestation(folder, provenance, expected)
    return summary


@contextlib.contextmanager
def copy_verified(version, commit, parent):
    """Copy the model of a commit into a temporary folder in `parent`.

    Yields
    ------
    folder : Path
    md5 : str
        MD5 of the model file. BadInput is raised if no intact copy is found.
    """
    expected = read_folder_md5(commit)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=parent) as scratch:
        folder = Path(scratch) / "model"
        try:
            objects.copy_model(expected, folder)
            md5 = verify_model(folder, expected)
        except BadInput as error:
            raise BadInput(
                f"the model of {version} (commit {commit[:7]}) is refused: {error}; run python -m "
                "scoring.registry push where it was made, or dvc repro at that commit, or roll back"
            ) from error
        yield folder, md5


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


def push_models(remote=None):
    """Push every model that is or was in a stage, and then the tags, for other clones.

    ``dvc push`` sends the model that is checked out, which after a rollback is another one.

    Parameters
    ----------
    remote : str, optional
        Git remote; by default as in `remotes.choose_remote`.

    Returns
    -------
    str
        A line for each version and one for the tags. BadInput if the remotes are not set, a model
        that is in a stage cannot be pushed, or the git remote has other tags; no tag is pushed
        then.
    """
    history = tags.read_history()
    versions = {e["commit"]: e["version"] for e in history if e["stage"] in tags.STAGES}
    if not versions:
        raise BadInput(
            "no version was ever in a stage: run python -m scoring.registry promote"
            f"{tags.explain_other_names()}"
        )
    if not objects.has_remote():
        raise BadInput("no DVC remote is set: make store DIR=/path/of/a/folder")
    remote = remotes.choose_remote(remote)
    remotes.list_unpushed_tags(remote)  # refuses a conflict before bytes are sent
    current = [tags.find_current(history, stage) for stage in tags.STAGES]
    required = {event["commit"] for event in current if event}
    lines = []
    failures = []
    for commit, version in versions.items():
        try:
            lines.append(f"{version} ({commit[:7]}): {push_version(version, commit)}")
        except BadInput as error:
            (failures if commit in required else lines).append(f"{version} is not pushed: {error}")
    if failures:
        raise BadInput("\n".join([*lines, *failures, "no tag is pushed"]))
    return "\n".join([*lines, remotes.push_tags(remote)])


def push_version(version, commit):
    """Verify the model of a commit and push it; return a text for the user."""
    with copy_verified(version, commit, CANDIDATE.parent) as (folder, _):
        md5 = read_folder_md5(commit)
        count = objects.push_model(md5, folder)
    return f"{count} files pushed" if count else "the remote has it already"
