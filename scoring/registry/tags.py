"""The tags that promote a model, in the form that GTO (github.com/treeverse/gto) reads and writes.

``flowers@v1.2.0`` names the commit of a version, ``flowers#production#3`` gives the version of its
commit a stage, ``flowers#canary!#4`` takes a stage away. The last number counts the tags of all
stages together.
"""

import re

import gto.api
from gto.exceptions import GTOException
from scmrepo.exceptions import SCMError

from flowers.base.errors import BadInput
from scoring.registry.git import list_tags, read_tag_time, run_git

NAME = "flowers"
STAGES = ("production", "canary")
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


# gto.api reads the tags, so that `gto show` and this module agree; git itself writes them: its
# identity and signing settings hold, and gto cannot name a version where a tag by hand came first.
def read_history():
    """Every tag of the model, oldest first.

    Returns
    -------
    list of dict
        As of ``gto.api.history``: ``event`` ("registration", "assignment", "unassignment", ...),
        ``ref`` (the tag), ``version``, ``stage``, ``commit``, ``timestamp``, ``author``,
        ``message``. The version of a commit that has none is the short commit.
    """
    known = list_model_tags()
    for name, tag in known.items():
        if tag["type"] == "tag" and tag["to"] != "commit":
            raise BadInput(f"tag {name} names a {tag['to']}, not a commit: git tag -d '{name}'")
    refuse_second_version(known)
    try:
        found = gto.api.history(".", NAME, ascending=True)
    except (GTOException, SCMError) as error:
        raise BadInput(f"the tags cannot be read: {error}") from error
    except Exception as error:  # of any tag in its form, and there is no list of what it may raise
        raise BadInput(
            f"GTO cannot read the tags ({type(error).__name__}: {error}): one with @ or # in its "
            "name names no commit, or has no tagger, or one or a time that cannot be; git "
            "for-each-ref --format='%(refname) %(*objecttype) %(tagger)' refs/tags shows which"
        ) from error
    version_of = {tag["commit"]: name.partition("@")[2] for name, tag in list_registrations(known)}
    for event in found:
        # A tag of a tag names the commit behind it.
        commit = known.get(event["ref"], event)["commit"]
        if event["version"] == event["commit"]:
            event["version"] = version_of.get(commit, commit[:7])
        event["commit"] = commit
    # Git keeps whole seconds; within one the counter knows the order, and gto does not look at it.
    return sorted(found, key=lambda e: (e["timestamp"], parse_counter(e["ref"]), e["priority"]))


def list_model_tags():
    """Every tag in git whose name begins like one of the model, as of `list_tags`."""
    return list_tags(f"{NAME}@", f"{NAME}#")


def list_registrations(known):
    """The annotated tags that name a version of a commit, as pairs of `list_tags`.

    Without versions that were taken back.
    """
    named = re.compile(rf"{NAME}@{VERSION.pattern}(?!.*!$)")
    return [
        (name, tag)
        for name, tag in known.items()
        if tag["type"] == "tag" and named.match(name) and f"{name}!" not in known
    ]


def refuse_second_version(known):
    """Refuse two versions of a commit, which gto does not read, by the tag that has to go."""
    first = {}
    for name, tag in list_registrations(known):
        other = first.setdefault(tag["commit"], name)
        if other != name:
            raise BadInput(
                f"commit {tag['commit'][:7]} has two versions, {other} and {name}: delete the tag "
                f"of one, such as git tag -d '{name}' (if it was pushed, git push --delete origin "
                f"'{name}' as well)"
            )


def explain_ignored_tags():
    """Tags that look like those of the model and promote nothing, and why.

    Returns
    -------
    dict of str to str
    """
    found, read = {}, {event["ref"]: event for event in read_history()}
    for name, tag in list_model_tags().items():
        stage = read.get(name, {}).get("stage")
        if tag["type"] != "tag":
            found[name] = f"lightweight: git tag -f -a '{name}' '{name}^{{}}' makes it count"
        elif name not in read:
            found[name] = "no name that GTO knows, such as flowers@v1.2.0 or flowers#production#3"
        elif stage not in (None, *STAGES):
            found[name] = f"{stage} is no stage here, only {' and '.join(STAGES)} are"
    return found


def parse_counter(tag):
    """The number at the end of a stage tag, 0 for others."""
    number = tag.rpartition("#")[2]
    return int(number) if number.isdecimal() else 0


def list_versions(history):
    """Registered versions and their commits, highest first.

    Returns
    -------
    dict of str to str
    """
    found = {}
    for event in history:
        if event["event"] == "registration":
            found[event["version"]] = event["commit"]
        elif event["event"] == "deregistration":
            found.pop(event["version"], None)
    return dict(sorted(found.items(), key=lambda item: parse_version(item[0]), reverse=True))


def parse_version(version):
    """The three numbers of "v1.2.0"; zeros for a version in another form."""
    match = VERSION.fullmatch(version)
    return tuple(int(n) for n in match.groups()) if match else (0, 0, 0)


def list_assignments(history, stage):
    """Assignments of a stage that were not taken back, one per version, the newest last.

    The last one is in the stage; if it is taken back, the one before is there again (as in gto).
    """
    held = {}
    for event in history:
        if event["stage"] == stage and event["event"] in ("assignment", "unassignment"):
            held.pop(event["version"], None)
            if event["event"] == "assignment":
                held[event["version"]] = event
    return list(held.values())


def find_current(history, stage):
    """The assignment that is in a stage, or None."""
    held = list_assignments(history, stage)
    return held[-1] if held else None


def list_earlier_versions(history, stage):
    """Versions to go back to from the present one, the nearest last.

    Going back to a version forgets those after it: a second step back goes further back, not
    forward to the version that the first step left.
    """
    line = []
    for event in history:
        if event["stage"] == stage and event["event"] in ("assignment", "unassignment"):
            version = event["version"]
            if version in line:
                del line[line.index(version) :]
            if event["event"] == "assignment":
                line.append(version)
    now = find_current(history, stage)
    return [version for version in line if not now or version != now["version"]]


def check_clock(history):
    """Refuse to tag by a clock that is behind: the tag with the latest time says what is where.

    Raises
    ------
    BadInput
        Naming the tag that would count instead; or if git does not know who tags.
    """
    now, last = read_tag_time(), max(history, key=lambda event: event["timestamp"], default=None)
    if last and now < last["timestamp"].timestamp():
        raise BadInput(
            f"the clock is behind tag {last['ref']}, made {last['timestamp']:%Y-%m-%d %H:%M:%S} "
            f"UTC: a tag of now would not count; set the clock, or git tag -d '{last['ref']}'"
        )


def register_version(version, commit, message):
    """Tag a commit as a version; the name of the tag is returned."""
    return write_tag(f"{NAME}@{version}", commit, message)


def assign_stage(stage, commit, message, sign=""):
    """Give a commit's version a stage, or take it with `sign` "!"; the tag's name is returned."""
    used = map(parse_counter, list_model_tags())
    return write_tag(f"{NAME}#{stage}{sign}#{max(used, default=0) + 1}", commit, message)


def write_tag(tag, commit, message):
    run_git("tag", "--annotate", tag, commit, "--message", message)
    return tag


def parse_checks(message):
    """Names of the checks in the "checks:" line of a tag message; none for a tag by hand."""
    found = re.search(r"^checks:(.*)$", message, flags=re.MULTILINE)
    return found.group(1).split() if found else []
