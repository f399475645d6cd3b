"""Make the tags: a version into a stage after its checks, or out of it."""

from flowers.base.errors import BadInput
from scoring.registry import checks, tags
from scoring.registry.git import read_head


def promote_model(stage, version=None, bump=None, force=False):
    """Check the workspace, then tag its commit as a version and give the version a stage.

    Parameters
    ----------
    stage : {"production", "canary"}
    version, bump : str, optional
        "v1.2.0", or which number goes up: "major", "minor" or "patch".
    force : bool
        Tag even so; the tag message says what was skipped.

    Returns
    -------
    str

    Raises
    ------
    BadInput
        With one line for each check that refuses.
    """
    history = tags.read_history()
    commit = read_head()
    version = choose_version(history, commit, version, bump)
    present = tags.find_current(history, stage)
    passed, refused = run_checks(stage, commit, tags.find_current(history, "production"))
    # A tag by hand may be made good by one with checks.
    again = present and present["commit"] == commit and not checks.list_skipped_checks(present)
    if again and (force or not refused):
        raise BadInput(f"{version} is in {stage} already")
    if refused and not force:
        raise BadInput("\n".join(f"{name}: {reason}" for name, reason in refused.items()))
    tags.check_clock(history)
    message = [f"{version} to {stage}", "", f"checks: {' '.join(passed)}"]
    if refused:
        message += [f"skipped: {' '.join(refused)}"]
        message += [f"{name}: {reason}" for name, reason in refused.items()]
    if version not in tags.list_versions(history):
        tags.register_version(version, commit, "\n".join(message))
    tag = tags.assign_stage(stage, commit, "\n".join(message))
    return describe_assignment(tag, f"{version} ({commit[:7]}) is in {stage}", stage)


def choose_version(history, commit, version, bump):
    """The version of a commit: the one it has, the one asked for, or the next."""
    known = tags.list_versions(history)
    has = next((name for name, at in known.items() if at == commit), None)
    if has and (bump or version not in (None, has)):
        raise BadInput(
            f"commit {commit[:7]} is {has} already: leave out --version and --bump, or take the "
            f"version from it: git tag -d {tags.NAME}@{has}"
        )
    if version in known and not has:
        raise BadInput(
            f"{version} is commit {known[version][:7]}, this is {commit[:7]}: choose another, or "
            f"python -m scoring.registry rollback --to {version}"
        )
    if has or version:
        return has or version
    if not known:
        return "v1.0.0"
    major, minor, patch = tags.parse_version(next(iter(known)))
    following = {
        "major": (major + 1, 0, 0),
        "minor": (major, minor + 1, 0),
        "patch": (major, minor, patch + 1),
    }
    return "v{}.{}.{}".format(*following[bump or "minor"])


def run_checks(stage, commit, present):
    """Print one line per check; names passed, and reasons of those a stage needs but refused."""
    run = {
        "clean-tree": checks.check_clean_tree,
        "lock": checks.check_lock,
        "gate": checks.check_gate,
        "bytes": checks.check_bytes,
        "comparison": lambda at: checks.check_comparison(at, present),
    }
    passed, refused = [], {}
    for name, check in run.items():
        try:
            print(f"{name}: {check(commit)}")
            passed.append(name)
        except BadInput as error:
            if name in checks.REQUIRED[stage]:
                refused[name] = str(error)
            else:
                print(f"{name}: {error} (does not keep it from {stage})")
    return passed, refused


def clear_stage(stage):
    """Take a stage from every version that has it."""
    history = tags.read_history()
    held = tags.list_assignments(history, stage)
    if not held:
        raise BadInput(f"no version is in {stage}")
    tags.check_clock(history)
    for event in held:
        said = f"{event['version']} leaves {stage}"
        tag = tags.assign_stage(stage, event["commit"], said, sign="!")
    return f"{tag}: {said}\nto share it: git push --tags"


def describe_assignment(tag, said, stage):
    return (
        f"{tag}: {said}\nto serve it: python -m scoring.registry fetch --stage {stage}\n"
        "to share it: python -m scoring.registry push && git push --tags"
    )
