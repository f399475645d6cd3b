"""Git remotes: the tags that they have and this clone lacks, and the push of tags."""

import os
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from flowers.base.errors import BadInput
from scoring.registry.git import list_tag_objects, run_git
from scoring.registry.tags import read_name

TIMEOUT = 10  # seconds
# git, its credential helpers and ssh fail instead of waiting for a password.
NO_PROMPT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
}


class UnreachableRemoteError(Exception):
    """A remote cannot be reached; the text is the reason in one line."""


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

    `run` is `run_git`, which may prompt for a password, or `run_git_without_prompt`.
    """
    output = run("ls-remote", "--refs", "--tags", "--", remote, f"refs/tags/{read_name()}[@#]*")
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
        One line for a shallow clone, or for each remote with tags that are missing or different
        here: a model in production may be unknown here.
    warnings : list of str
        One line if a remote cannot be reached.
    """
    if run_git("rev-parse", "--is-shallow-repository") == "true":
        fault = "this clone is shallow and may lack tags: run git fetch --unshallow --tags"
        return [f"{fault}, then this command again"], []
    faults = []
    remotes = list_remotes()
    here = list_tag_objects(read_name())
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


def choose_remote(name=None):
    """Choose the git remote to push to: `name`, else "origin", else the only one."""
    remotes = run_git("remote").splitlines()
    if not remotes:
        raise BadInput("no git remote is set: git remote add origin URL")
    if name is None:
        name = "origin" if "origin" in remotes or len(remotes) > 1 else remotes[0]
    if name not in remotes:
        raise BadInput(f"no git remote {name}: use --remote with one of {', '.join(remotes)}")
    return name


def list_unpushed_tags(remote):
    """List the tags that a git remote lacks; BadInput if it has one that is not here."""
    here = list_tag_objects(read_name())
    there = list_remote_tags(remote)
    different = sorted(tag for tag in there if here.get(tag) != there[tag])
    unpushed = sorted(tag for tag in here if there.get(tag) != here[tag])
    if not different:
        return unpushed
    lines = [describe_remote_tag(remote, tag, there[tag], here) for tag in different[:3]]
    remedy = f"git fetch --tags {shlex.quote(remote)}"
    if unpushed:
        remedy = f"git tag -d {shlex.join(unpushed)} && {remedy}, then promote again"
    lines.append(f"no tag is pushed; take the tags of {remote} with {remedy}")
    raise BadInput("\n".join(lines))


def describe_remote_tag(remote, tag, id_, here):
    """Describe a tag of a remote that is not here: its author, its time and its commit."""
    run_git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, f"refs/tags/{tag}")
    commit = run_git("rev-parse", "--short=7", f"{id_}^{{commit}}")
    text = f"{remote} has {tag} for commit {commit}"
    if run_git("cat-file", "-t", id_) == "tag":
        lines = run_git("cat-file", "tag", id_).splitlines()
        tagger = next((line for line in lines if line.startswith("tagger ")), "tagger  0 +0000")
        author, seconds, _ = tagger.removeprefix("tagger ").rsplit(" ", 2)
        text += (
            f", made by {author} on {datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
        )
    if tag in here:
        text += (
            f"; here it is commit {run_git('rev-parse', '--short=7', f'{here[tag]}^{{commit}}')}"
        )
    return text


def push_tags(remote):
    """Push the tags of the model to a git remote, all or none; return a line for the user."""
    unpushed = list_unpushed_tags(remote)
    if not unpushed:
        return f"git remote {remote} has every tag already"
    try:
        run_git("push", "--quiet", "--atomic", remote, *(f"refs/tags/{tag}" for tag in unpushed))
    except BadInput:
        list_unpushed_tags(remote)  # another clone may have pushed in between
        raise
    return f"tags pushed to git remote {remote}: {', '.join(unpushed)}"
