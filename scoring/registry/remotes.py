"""Git remotes: the tags that they have and this clone lacks, and the push of tags."""

import os
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from flowers.base.errors import BadInput
from scoring.registry.git import list_tag_objects, run_git
from scoring.registry.tags import NAME

TIMEOUT = 10  # seconds
# git, its credential helpers and ssh fail instead of waiting for a password.
NO_PROMPT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
}


class UnreachableRemoteError(Exception):
    """A remote did not answer; the text is the reason in one line."""


def run_git_without_prompt(*arguments):
    """Run a git command that uses a remote, at most `TIMEOUT` seconds; return its output.

    In a session of its own ssh has no terminal for a prompt, and its processes end with git's.
    """
    process = subprocess.Popen(
        ("git", *arguments),
        env=os.environ | NO_PROMPT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise UnreachableRemoteError(f"no answer in {TIMEOUT} s") from error
    if process.returncode:
        lines = errors.strip().splitlines() or [f"exit code {process.returncode}"]
        fatal = [line for line in lines if line.startswith("fatal: ")]
        raise UnreachableRemoteError((fatal or lines)[0].removeprefix("fatal: "))
    return output


def list_remote_tags(remote, run=run_git):
    """List the tags of the model in a git remote: object id by name.

    `run` is `run_git`, which may ask for a password, or `run_git_without_prompt`.
    """
    output = run("ls-remote", "--refs", "--tags", "--", remote, f"refs/tags/{NAME}[@#]*")
    prefix = "refs/tags/"
    rows = [line.partition("\t") for line in output.splitlines()]
    return {name.removeprefix(prefix): id_ for id_, _, name in rows if name.startswith(prefix)}


def list_remotes():
    """List the git remotes, except those with ``remote.NAME.skipFetchAll``, as git fetch --all."""
    return [name for name in run_git("remote").splitlines() if not _is_skipped(name)]


def _is_skipped(remote):
    key = f"remote.{remote}.skipFetchAll"
    return run_git("config", "--type=bool", "--default=false", "--get", key) == "true"


def find_missing_tags():
    """Compare the tags of this clone with those of every git remote.

    Returns
    -------
    faults : list of str
        One line for a shallow clone and for each remote with tags that are missing or different
        here: a model in production may be unknown here.
    warnings : list of str
        One line if a remote cannot be reached.
    """
    faults = []
    if run_git("rev-parse", "--is-shallow-repository") == "true":
        faults.append(
            "this clone is shallow and may lack tags: run git fetch --unshallow --tags, then this "
            "command again"
        )
    remotes = list_remotes()
    here = list_tag_objects(NAME)
    unreachable = []
    with ThreadPoolExecutor(len(remotes) or 1) as pool:
        for remote, result in zip(remotes, pool.map(_try_remote_tags, remotes), strict=True):
            if isinstance(result, UnreachableRemoteError):
                unreachable.append(f"{remote} ({result})")
            elif fault := describe_missing_tags(remote, result, here):
                faults.append(fault)
    warnings = []
    if unreachable:
        warnings.append(
            f"git remote {', '.join(unreachable)} cannot be reached: tags that are only there are "
            "not considered"
        )
    return faults, warnings


def _try_remote_tags(remote):
    try:
        return list_remote_tags(remote, run_git_without_prompt)
    except UnreachableRemoteError as error:
        return error


def describe_missing_tags(remote, there, here):
    """Describe the tags of a remote that are missing or different here, and the remedy.

    Parameters
    ----------
    remote : str
    there, here : dict of str to str
        Object id by tag.
    """
    different = sorted(tag for tag in there if here.get(tag, there[tag]) != there[tag])
    missing = sorted(there.keys() - here.keys())
    fetch = f"git fetch --tags {shlex.quote(remote)}"
    if different:
        return (
            f"{list_names(different)} of git remote {remote} is another tag than here: take that "
            f"of {remote} with git tag -d {shlex.join(different)} && {fetch}, then run this "
            "command again"
        )
    if missing:
        return (
            f"git remote {remote} has {list_names(missing)}, which this clone lacks: run {fetch}, "
            "then this command again; a tag that was deleted on purpose is deleted there too with "
            f"git push --delete {shlex.quote(remote)} {shlex.quote(missing[0])}"
        )
    return ""


def list_names(tags):
    """Join the names of at most three tags."""
    more = f" and {len(tags) - 3} more" if len(tags) > 3 else ""
    return ", ".join(tags[:3]) + more


def require_all_tags():
    """Raise BadInput if tags are missing here; return the warnings of `find_missing_tags`."""
    faults, warnings = find_missing_tags()
    if faults:
        raise BadInput("\n".join(faults))
    return warnings
