"""The git tags that promote a model, in the format of GTO (github.com/treeverse/gto).

``flowers@v1.2.0`` registers a commit as a version, ``flowers#production#3`` assigns the version of
its commit to a stage, ``flowers#canary!#4`` removes it from a stage. The final number counts the
tags of all stages together. The tags begin with study.name in the params.yaml of HEAD.
"""

import re
import time
from functools import cache

import gto.api
from gto.exceptions import GTOException
from ruamel.yaml import YAML, YAMLError
from scmrepo.exceptions import SCMError

from flowers.base.errors import BadInput
from scoring.registry.git import list_tags, read_file_at, read_head, read_tag_time, run_git

NAME = re.compile("[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
NAME_BEFORE_STUDY = "flowers"  # of commits whose params.yaml has no section study
STAGES = ("production", "canary")
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def read_name():
    """Read the name of the model: study.name in the params.yaml of HEAD."""
    return _read_name_at(read_head())


@cache  # a command needs the name many times
def _read_name_at(commit):
    try:
        params = YAML(typ="safe").load(read_file_at(commit, "params.yaml"))
        name = params.get("study", {"name": NAME_BEFORE_STUDY})["name"]
    except (AttributeError, KeyError, TypeError, YAMLError) as error:
        raise BadInput("params.yaml of HEAD has no study.name: add it and commit") from error
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadInput(
            f"study.name {name!r} in the params.yaml of HEAD cannot begin a tag: use a-z, 0-9, - "
            "and _, as in rusty-bolts, and commit"
        )
    return name


def explain_other_names():
    """Describe the stage tags of other names, which a change of study.name leaves; "" if none."""
    pattern = re.compile(rf"({NAME.pattern})#({'|'.join(STAGES)})!?#\d+")
    matches = map(pattern.fullmatch, list_tags(""))
    names = {match.group(1) for match in matches if match} - {read_name()}
    if not names:
        return ""
    return (
        f"; there are tags of {', '.join(sorted(names))}, not of {read_name()}: to use them, set "
        "study.name in params.yaml to that name and commit"
    )


# gto.api reads the tags, so that `gto show` and this module agree. git writes them: its identity
# and signing settings apply, and gto cannot register a version after a stage tag made by hand.
def read_history():
    """Read every tag of the model, oldest first.

    Returns
    -------
    list of dict
        Events as in ``gto.api.history``: ``event`` ("registration", "assignment", "unassignment",
        ...), ``ref`` (the tag), ``version`` (the short commit if the commit has no version),
        ``stage``, ``commit``, ``timestamp``, ``author``, ``message``.

    Raises
    ------
    BadInput
        If a tag has no commit, a commit has two versions, or GTO cannot read the tags.
    """
    tags = list_model_tags()
    for name, tag in tags.items():
        if tag["type"] == "tag" and tag["target_type"] != "commit":
            raise BadInput(
                f"tag {name} names a {tag['target_type']}, not a commit: git tag -d '{name}'"
            )
    reject_second_version(tags)
    try:
        history = gto.api.history(".", read_name(), ascending=True)
    except (GTOException, SCMError) as error:
        raise BadInput(f"the tags cannot be read: {error}; delete or correct that tag") from error
    except Exception as error:  # GTO documents no list of what a malformed tag raises
        raise BadInput(
            f"GTO cannot read the tags ({type(error).__name__}: {error}): delete a tag with @ or # "
            "in its name that has no commit, no tagger or an impossible time; list them with git "
            "for-each-ref --format='%(refname) %(*objecttype) %(tagger)' refs/tags"
        ) from error
    versions = {tag["commit"]: name.partition("@")[2] for name, tag in list_registrations(tags)}
    for event in history:
        # GTO gives a tag of a tag the id of the inner tag.
        commit = tags.get(event["ref"], event)["commit"]
        if event["version"] == event["commit"]:
            event["version"] = versions.get(commit, commit[:7])
        event["commit"] = commit
    # Git stores whole seconds; within one second the counter orders tags, which GTO ignores.
    return sorted(history, key=lambda e: (e["timestamp"], parse_counter(e["ref"]), e["priority"]))


def list_model_tags():
    """List every tag of the model, well-formed or not, as `list_tags` does."""
    name = read_name()
    return list_tags(f"{name}@", f"{name}#")


def list_registrations(tags):
    """Select the items of `tags` that register a version which was not deregistered."""
    pattern = re.compile(rf"{NAME.pattern}@{VERSION.pattern}(?!.*!$)")
    return [
        (name, tag)
        for name, tag in tags.items()
        if tag["type"] == "tag" and pattern.match(name) and f"{name}!" not in tags
    ]


def reject_second_version(tags):
    """Raise BadInput if a commit has two versions, which GTO cannot read."""
    first = {}
    for name, tag in list_registrations(tags):
        other = first.setdefault(tag["commit"], name)
        if other != name:
            raise BadInput(
                f"commit {tag['commit'][:7]} has two versions, {other} and {name}: delete one tag, "
                f"such as git tag -d '{name}' (if it was pushed, git push --delete origin "
                f"'{name}' as well)"
            )


def explain_ignored_tags(history):
    """Return reason and remedy, by tag, of tags with the name of the model that do nothing."""
    events = {event["ref"]: event for event in history}
    model = read_name()
    reasons = {}
    for name, tag in list_model_tags().items():
        stage = events.get(name, {}).get("stage")
        if tag["type"] != "tag":
            reasons[name] = f"lightweight; annotate it: git tag -f -a '{name}' '{name}^{{}}'"
        elif name not in events:
            reasons[name] = f"unknown to GTO; use {model}@v1.2.0 or {model}#production#3"
        elif stage not in (None, *STAGES):
            reasons[name] = f"{stage} is not a stage; use {' or '.join(STAGES)}"
    return reasons


def parse_counter(tag):
    """Parse the number at the end of a stage tag; 0 for other tags."""
    number = tag.rpartition("#")[2]
    return int(number) if number.isdecimal() else 0


def list_versions(history):
    """Return the commits of the registered versions, as a dict with the highest version first."""
    commits = {}
    for event in history:
        if event["event"] == "registration":
            commits[event["version"]] = event["commit"]
        elif event["event"] == "deregistration":
            commits.pop(event["version"], None)
    return dict(sorted(commits.items(), key=lambda item: parse_version(item[0]), reverse=True))


def list_commits(history):
    """Return the commits of the registered versions and of the stages, by version."""
    held = {e["version"]: e["commit"] for stage in STAGES for e in list_assignments(history, stage)}
    return held | list_versions(history)


def parse_version(version):
    """Parse "v1.2.0" to (1, 2, 0); other text to (0, 0, 0)."""
    match = VERSION.fullmatch(version)
    return tuple(int(n) for n in match.groups()) if match else (0, 0, 0)


def list_assignments(history, stage):
    """List the assignments to a stage that still hold, one per version, oldest first.

    The last one is current; after its removal the one before is current again, as in GTO.
    """
    assignments = {}
    for event in _select_stage_events(history, stage):
        assignments.pop(event["version"], None)
        if event["event"] == "assignment":
            assignments[event["version"]] = event
    return list(assignments.values())


def _select_stage_events(history, stage):
    kinds = ("assignment", "unassignment")
    return [e for e in history if e["stage"] == stage and e["event"] in kinds]


def find_current(history, stage):
    """Find the current assignment of a stage; None if there is none."""
    assignments = list_assignments(history, stage)
    return assignments[-1] if assignments else None


def list_earlier_versions(history, stage):
    """List the versions to roll back to, the nearest last.

    A rollback drops the versions after its target: a second rollback goes further back, not
    forward to the version that the first one left.
    """
    versions = []
    for event in _select_stage_events(history, stage):
        version = event["version"]
        if version in versions:
            del versions[versions.index(version) :]
        if event["event"] == "assignment":
            versions.append(version)
    current = find_current(history, stage)
    return [version for version in versions if not current or version != current["version"]]


def check_clock(history):
    """Check that a new tag would be the newest: the newest tag decides what is in a stage."""
    now = read_tag_time()
    last = max(history, key=lambda event: event["timestamp"], default=None)
    if last and now < last["timestamp"].timestamp():
        raise BadInput(
            f"the clock is behind tag {last['ref']} ({last['timestamp']:%Y-%m-%d %H:%M:%S} UTC) "
            f"and a new tag would have no effect: set the clock, or git tag -d '{last['ref']}'"
        )
    if last and now == last["timestamp"].timestamp():
        time.sleep(1)  # GTO orders tags by their second


def assign_stage(stage, commit, message, sign=""):
    """Assign the version of a commit to a stage, or remove it with `sign` "!"; return the tag."""
    counters = map(parse_counter, list_model_tags())
    return write_tag(f"{read_name()}#{stage}{sign}#{max(counters, default=0) + 1}", commit, message)


def write_tag(tag, commit, message):
    """Write an annotated tag; return its name."""
    run_git("tag", "--annotate", tag, commit, "--message", message)
    return tag


def parse_checks(message):
    """Parse the names in the "checks:" line of a tag message; [] for a tag made by hand.

    `scoring.registry.checks.list_passed_checks` compares them with their digest.
    """
    match = re.search(r"^checks:(.*)$", message, flags=re.MULTILINE)
    return match.group(1).split() if match else []
