"""What git knows: its commands, files of a commit, tags by name."""

import subprocess

from flowers.base.errors import BadInput


def run_git(*arguments):
    """What a git command prints, without the last line end.

    Raises
    ------
    BadInput
        With what git calls fatal, or its last words, if it fails.
    """
    try:
        # Names of tags and files may be any bytes.
        ended = subprocess.run(
            ("git", *arguments), capture_output=True, encoding="utf-8", errors="backslashreplace"
        )
    except FileNotFoundError as error:
        raise BadInput("git is not installed") from error
    if ended.returncode:
        words = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        fatal = [line for line in words if line.startswith("fatal: ")]
        raise BadInput(f"git {arguments[0]}: {(fatal or words[-1:])[0]}")
    return ended.stdout.rstrip("\n")


def read_head():
    """The commit that is checked out.

    Raises
    ------
    BadInput
        If there is none yet.
    """
    try:
        return run_git("rev-parse", "--verify", "HEAD")
    except BadInput as error:
        raise BadInput(
            f"there is no commit to tag ({error}): git add and commit the run"
        ) from error


def read_tag_time():
    """What a tag that is made now has for its time, in seconds since 1970.

    Raises
    ------
    BadInput
        If git does not know who makes it.
    """
    try:
        return int(run_git("var", "GIT_COMMITTER_IDENT").split()[-2])
    except BadInput as error:
        raise BadInput(f"{error}: set git config user.name and user.email") from error


def read_file_at(commit, path):
    """The text of a file as it was committed.

    Raises
    ------
    BadInput
        If the commit does not have it.
    """
    # Not by git(): every byte counts where a digest is compared.
    shown = subprocess.run(("git", "show", f"{commit}:{path}"), capture_output=True)
    if shown.returncode:
        raise BadInput(f"commit {commit[:7]} has no {path}: it holds no finished run")
    return shown.stdout.decode(errors="replace")


def list_tags(*beginnings):
    """Every tag whose name begins so, upper case or lower.

    Returns
    -------
    dict of str to dict
        By name: ``type`` ("tag" for an annotated one), ``to`` (the type of what it names in the
        end) and ``commit``, the id of that.
    """
    parts = "%(refname:lstrip=2) %(objecttype) %(*objecttype) %(*objectname)"
    listed = run_git("for-each-ref", f"--format={parts}", "refs/tags").splitlines()
    found = {}
    for name, kind, *peeled in (line.split(" ") for line in listed):
        if name.lower().startswith(beginnings):
            to, commit = peeled
            # Git before 2.45 peels one tag only.
            if to == "tag":
                commit = run_git("rev-parse", f"{commit}^{{}}")
                to = run_git("cat-file", "-t", commit)
            found[name] = {"type": kind, "to": to, "commit": commit}
    return found
