"""Git commands: their output, files of a commit, tags by name."""

import subprocess

from flowers.base.errors import BadInput


def run_git(*arguments, cwd=None):
    """Run a git command and return its standard output without the final newlines.

    Bytes that are not UTF-8 are returned as ``\\xe9``; BadInput has the error of git in one line.
    """
    try:
        # Names of tags and files may be any bytes.
        process = subprocess.run(
            ("git", *arguments),
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except FileNotFoundError as error:
        raise BadInput("git is not installed: install it") from error
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
        # " ! [rejected]" is the reason of a refused push.
        fatal = [line for line in lines if line.startswith(("fatal: ", " ! "))]
        raise BadInput(f"git {arguments[0]}: {(fatal or lines[-1:])[0].strip()}")
    return process.stdout.rstrip("\n")


def read_head():
    """Return the id of the commit that is checked out; BadInput if there is none."""
    try:
        return run_git("rev-parse", "--verify", "HEAD")
    except BadInput as error:
        raise BadInput(f"no commit to tag ({error}): run dvc repro, git add and commit") from error


def read_tag_time():
    """Return the time of a new tag, in seconds since 1970; BadInput if git has no identity."""
    try:
        return int(run_git("var", "GIT_COMMITTER_IDENT").split()[-2])
    except BadInput as error:
        raise BadInput(f"{error}: set git config user.name and user.email") from error


def read_bytes_at(commit, path, cwd=None):
    """Read a file as a commit holds it; BadInput if the commit does not hold it."""
    # Without run_git, which strips newlines: the MD5 of the content is compared.
    process = subprocess.run(("git", "show", f"{commit}:{path}"), cwd=cwd, capture_output=True)
    if process.returncode:
        raise BadInput(f"commit {commit[:7]} has no {path}: run dvc repro there and commit")
    return process.stdout


def read_file_at(commit, path):
    """Read a text file as a commit holds it; see `read_bytes_at`."""
    return read_bytes_at(commit, path).decode(errors="replace")


def list_tags(*prefixes):
    """List the tags whose name begins with one of `prefixes`, in upper or lower case.

    Returns
    -------
    dict of str to dict
        By name: ``type`` ("tag" for an annotated tag), ``target_type`` and ``commit``, the type
        and the id of the object that remains after every tag is followed.
    """
    fields = "%(refname:lstrip=2) %(objecttype) %(*objecttype) %(*objectname)"
    lines = run_git("for-each-ref", f"--format={fields}", "refs/tags").splitlines()
    tags = {}
    for name, kind, target_type, commit in (line.split(" ") for line in lines):
        if name.lower().startswith(prefixes):
            # Git before 2.45 follows one tag only.
            if target_type == "tag":
                commit = run_git("rev-parse", f"{commit}^{{}}")
                target_type = run_git("cat-file", "-t", commit)
            tags[name] = {"type": kind, "target_type": target_type, "commit": commit}
    return tags


def list_tag_objects(name):
    """Return the object id of every tag of a model, by tag; an annotated tag is its own object."""
    lines = run_git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/tags")
    rows = [line.partition(" ") for line in lines.splitlines()]
    return {tag: id_ for id_, _, tag in rows if tag.startswith((f"{name}@", f"{name}#"))}
