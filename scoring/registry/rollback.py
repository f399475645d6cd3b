"""Give production an earlier version back."""

from flowers.base.errors import BadInput
from scoring.registry import checks, tags
from scoring.registry.fetch import read_lock_md5
from scoring.registry.git import read_file_at
from scoring.registry.promote import describe_assignment


def roll_back(to=None):
    """Give production to the version before the present one, or to a named one.

    Raises
    ------
    BadInput
        If there is none, it is in production already, or its commit has no model.
    """
    history = tags.read_history()
    present = tags.find_current(history, "production")
    earlier = tags.list_earlier_versions(history, "production")
    if to is None and not earlier:
        raise BadInput("no version was in production before; name one with --to")
    version = to or earlier[-1]
    known = {e["version"]: e["commit"] for e in history if e["stage"] == "production"}
    known |= tags.list_versions(history)
    if version not in known:
        raise BadInput(f"there is no {version}; there are {', '.join(known) or 'none'}")
    if present and present["version"] == version:
        raise BadInput(f"{version} is in production already")
    commit = known[version]
    try:
        read_lock_md5(read_file_at(commit, "dvc.lock"))
    except BadInput as error:
        raise BadInput(f"{version} has no model: {error}; name another with --to") from error
    tags.check_clock(history)
    done = {
        name for e in history if e["commit"] == commit for name in tags.parse_checks(e["message"])
    }
    passed = [name for name in checks.REQUIRED["production"] if name in done]
    left = present["version"] if present else "none"
    message = f"{version} to production\n\nrollback from: {left}\nchecks: {' '.join(passed)}"
    tag = tags.assign_stage("production", commit, message)
    return describe_assignment(
        tag, f"production goes from {left} back to {version} ({commit[:7]})", "production"
    )
