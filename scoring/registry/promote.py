"""Write the tags that assign a version to a stage, return to an earlier one, or clear a stage."""

from flowers.base.errors import BadInput
from scoring.registry import checks, tags
from scoring.registry.git import read_head
from scoring.registry.transfer import get_stage_folder, read_folder_md5


def promote_model(stage, version=None, bump=None, force=False):
    """Check the model of the HEAD commit, register its version and assign it to a stage.

    Parameters
    ----------
    stage : {"production", "canary"}
    version : str, optional
        Such as "v1.2.0".
    bump : {"major", "minor", "patch"}, optional
        The number of the latest version to increase, "minor" by default.
    force : bool
        Tag in spite of failed checks; the tag message records them.

    Raises
    ------
    BadInput
        With one line for each failed check.
    """
    history = tags.read_history()
    commit = read_head()
    version = choose_version(history, commit, version, bump)
    current = tags.find_current(history, stage)
    passed, failed = run_checks(stage, commit, history)
    # A version that was assigned by hand or by force is assigned again once its checks pass.
    complete = current and current["commit"] == commit and checks.has_passed_all(current)
    if complete and (force or not failed):
        raise BadInput(f"{version} is in {stage} already: there is nothing to do")
    if failed and not force:
        raise BadInput("\n".join(f"{name}: {reason}" for name, reason in failed.items()))
    tags.check_clock(history)
    lines = [f"{version} to {stage}", "", checks.format_checks(commit, passed)]
    if failed:
        lines += [f"failed: {' '.join(failed)}"]
        lines += [f"{name}: {reason}" for name, reason in failed.items()]
    message = "\n".join(lines)
    if version not in tags.list_versions(history):
        tags.write_tag(f"{tags.read_name()}@{version}", commit, message)
    tag = tags.assign_stage(stage, commit, message)
    return describe_assignment(tag, f"{version} ({commit[:7]}) is in {stage}", stage)


def choose_version(history, commit, version, bump):
    """Choose the version of a commit: its registered one, the requested one, or the next."""
    commits = tags.list_versions(history)
    registered = next((name for name, other in commits.items() if other == commit), None)
    if registered and (bump or version not in (None, registered)):
        raise BadInput(
            f"commit {commit[:7]} is {registered} already: omit --version and --bump, or delete "
            f"the version: git tag -d {tags.read_name()}@{registered}"
        )
    if version in commits and not registered:
        raise BadInput(
            f"{version} is commit {commits[version][:7]}, HEAD is {commit[:7]}: choose another "
            f"version, or python -m scoring.registry rollback --to {version}"
        )
    if registered or version:
        return registered or version
    if not commits:
        return "v1.0.0"
    major, minor, patch = tags.parse_version(next(iter(commits)))
    following = {
        "major": (major + 1, 0, 0),
        "minor": (major, minor + 1, 0),
        "patch": (major, minor, patch + 1),
    }
    return "v{}.{}.{}".format(*following[bump or "minor"])


def run_checks(stage, commit, history):
    """Run every check on a commit and print one line for each that does not block the stage.

    Returns
    -------
    passed : list of str
    failed : dict of str to str
        Reasons by name, of the checks that the stage requires.
    """
    production = tags.find_current(history, "production")
    functions = {
        "clean-tree": checks.check_clean_tree,
        "lock": checks.check_lock,
        "gate": checks.check_gate,
        "bytes": checks.check_bytes,
        "new": lambda commit: checks.check_new(commit, tags.list_commits(history)),
        "comparison": lambda commit: checks.check_comparison(commit, production),
    }
    passed = []
    failed = {}
    for name, check in functions.items():
        try:
            print(f"{name}: {check(commit)}")
            passed.append(name)
        except BadInput as error:
            if name in checks.REQUIRED[stage]:
                failed[name] = str(error)
            else:
                print(f"{name}: {error} (not required for {stage})")
    return passed, failed


def roll_back(version=None):
    """Assign an earlier version to production, by default the one before the current one."""
    history = tags.read_history()
    current = tags.find_current(history, "production")
    if version is None:
        earlier = tags.list_earlier_versions(history, "production")
        if not earlier:
            raise BadInput(
                "no version was in production before: name one with --to"
                f"{tags.explain_other_names()}"
            )
        version = earlier[-1]
    commits = {e["version"]: e["commit"] for e in history if e["stage"] == "production"}
    commits |= tags.list_versions(history)
    if version not in commits:
        raise BadInput(f"no version {version}: use one of {', '.join(commits) or '(none)'}")
    if current and current["version"] == version:
        raise BadInput(f"{version} is in production already: name another with --to")
    commit = commits[version]
    try:
        read_folder_md5(commit)
    except BadInput as error:
        raise BadInput(f"{version} has no model ({error}): name another with --to") from error
    tags.check_clock(history)
    events = [event for event in history if event["commit"] == commit]
    recorded = {name for event in events for name in checks.list_passed_checks(event)}
    passed = [name for name in checks.REQUIRED["production"] if name in recorded]
    previous = current["version"] if current else "none"
    message = f"{version} to production\n\nrollback from: {previous}\n"
    message += checks.format_checks(commit, passed)
    tag = tags.assign_stage("production", commit, message)
    action = f"production rolled back from {previous} to {version} ({commit[:7]})"
    return describe_assignment(tag, action, "production")


def clear_stage(stage):
    """Remove every version from a stage; BadInput if it is empty."""
    history = tags.read_history()
    assignments = tags.list_assignments(history, stage)
    if not assignments:
        raise BadInput(f"no version is in {stage}: there is nothing to clear")
    tags.check_clock(history)
    lines = []
    for event in assignments:
        action = f"{event['version']} removed from {stage}"
        tag = tags.assign_stage(stage, event["commit"], action, sign="!")
        lines.append(f"{tag}: {action}")
    folder = get_stage_folder(stage)
    stop = f"to stop it: rm -r {folder}, then send SIGHUP to the scorer"
    return "\n".join([*lines, stop, "to share it: python -m scoring.registry push"])


def describe_assignment(tag, action, stage):
    """Describe a new tag and the commands that serve and share its model."""
    return (
        f"{tag}: {action}\nto serve it: python -m scoring.registry fetch --stage {stage}\n"
        "to share it: python -m scoring.registry push"
    )
