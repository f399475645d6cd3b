"""Send the models that tags name to the DVC remote, so that another clone can fetch them."""

import tempfile
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree

from flowers.base.errors import BadInput
from scoring.registry import tags
from scoring.registry.fetch import (
    CANDIDATE,
    copy_model,
    read_dvc_config,
    read_lock_md5,
    verify_model,
)
from scoring.registry.git import read_file_at


def push_models():
    """Send every model that is in a stage, and those that were and can be gone back to.

    ``dvc push`` sends what is checked out, which after a rollback is another model.

    Returns
    -------
    str
        One line for each version.

    Raises
    ------
    BadInput
        If there is no model or no remote, or if a model that is in a stage cannot be sent.
    """
    history = tags.read_history()
    needed = {e["commit"] for stage in tags.STAGES if (e := tags.find_current(history, stage))}
    versions = {e["commit"]: e["version"] for e in history if e["stage"] in tags.STAGES}
    if not versions:
        raise BadInput("no version was ever in a stage: python -m scoring.registry promote")
    if not read_dvc_config()["core"].get("remote"):
        raise BadInput("no DVC remote is set: make store DIR=/path/of/a/folder")
    said, refused = [], []
    for commit, version in versions.items():
        try:
            said.append(f"{version} ({commit[:7]}): {push_commit(commit)}")
        except BadInput as error:
            (refused if commit in needed else said).append(f"{version} is not sent: {error}")
    if refused:
        raise BadInput("\n".join([*said, *refused]))
    return "\n".join([*said, "now the tags: git push --tags"])


def push_commit(commit):
    """Send the model of a commit, after a look at its bytes, and see that it arrived."""
    expected = read_lock_md5(read_file_at(commit, "dvc.lock"))
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=CANDIDATE.parent) as scratch:
        fresh = Path(scratch) / "model"
        copy_model(commit, fresh)
        verify_model(fresh, expected)
    try:
        with Repo(".", rev=commit, config=read_dvc_config()) as repo:
            count = repo.push(targets=[CANDIDATE.as_posix()])
            store = repo.cloud.get_remote_odb()
            files = Tree.load(store, HashInfo("md5", expected))
            missing = [digest.value for _, _, digest in files if not store.exists(digest.value)]
    except (DvcException, OSError) as error:
        raise BadInput(f"the remote does not take it: {error}") from error
    if missing:
        raise BadInput(f"{', '.join(missing)} did not arrive in the remote: try again")
    return f"{count} files sent" if count else "the remote has it"
