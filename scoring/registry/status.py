"""Look at the tags: what is in each stage, how it got there, and what lies on disk."""

import json

from flowers.base.errors import BadInput
from scoring.registry import checks, fetch, tags
from scoring.registry.git import read_file_at


def collect_status():
    """What is where.

    Returns
    -------
    dict
        ``production``, ``canary``, ``latest``, ``candidate``: each a dict or None;
        ``not_counting``: tags that promote nothing, and why.
    """
    history = tags.read_history()
    known = tags.list_versions(history)
    found = {}
    for stage in tags.STAGES:
        event = tags.find_current(history, stage)
        found[stage] = event and {
            **describe_version(event["version"], event["commit"]),
            "tag": event["ref"],
            "checks_passed": tags.parse_checks(event["message"]),
            "checks_skipped": checks.list_skipped_checks(event),
            "on_disk": fetch.compare_with_disk(stage, event),
        }
    latest = next(iter(known.items()), None)
    found["latest"] = latest and describe_version(*latest)
    found["candidate"] = describe_candidate(known)
    found["not_counting"] = tags.explain_ignored_tags()
    return found


def describe_version(version, commit):
    """Version, short commit and MD5 of the model, None where the commit holds no finished run."""
    try:
        md5 = checks.parse_decision(read_file_at(commit, checks.DECISION))["md5"]
    except BadInput:
        md5 = None
    return {"version": version, "commit": commit[:7], "md5": md5}


def describe_candidate(known):
    """The model in the workspace, None if there is none, and the version it is, if any."""
    try:
        md5 = json.loads((fetch.CANDIDATE / "card.json").read_text())["model"]["md5"]
        passed = checks.parse_decision(checks.read_text(checks.DECISION))["passed"]
    except (BadInput, FileNotFoundError, KeyError, ValueError):
        return None
    folder = fetch.hash_folder(fetch.CANDIDATE)
    version = next((v for v, commit in known.items() if lock_md5(commit) == folder), None)
    return {"version": version, "md5": md5, "gate_passed": passed}


def lock_md5(commit):
    try:
        return fetch.read_lock_md5(read_file_at(commit, "dvc.lock"))
    except BadInput:
        return None


def format_status(found):
    lines = []
    for stage in tags.STAGES:
        if found[stage] is None:
            lines.append(f"{stage:10}  none")
            continue
        entry = found[stage]
        lines.append(f"{format_version(stage, entry)}  {entry['tag']}")
        lines.append(f"{'':10}  {format_checks(entry['checks_passed'], entry['checks_skipped'])}")
        lines.append(f"{'':10}  models/{stage} on disk: {entry['on_disk']}")
    lines.append(
        format_version("latest", found["latest"]) if found["latest"] else "latest      none"
    )
    lines.append(format_candidate(found["candidate"]))
    lines += [f"{tag} does not count: {why}" for tag, why in found["not_counting"].items()]
    return "\n".join(lines)


def format_candidate(entry):
    if entry is None:
        return "candidate   none: run dvc repro"
    gate = "passed" if entry["gate_passed"] else "not passed"
    name = entry["version"] or "untagged"
    return f"candidate   {name}  md5 {entry['md5']}  gate {gate}"


def format_version(what, entry):
    md5 = entry["md5"] or "unknown"
    return f"{what:10}  {entry['version']}  {entry['commit']}  md5 {md5}"


def format_checks(passed, left):
    said = f"checks passed: {' '.join(passed) or 'none'}"
    return f"{said}; skipped: {' '.join(left)}" if left else said


def format_history():
    """One line per tag that gave or took a stage, newest first."""
    rows = []
    for event in reversed(tags.read_history()):
        if event["stage"] not in tags.STAGES:
            continue
        gone = event["event"] == "unassignment"
        words = (
            "taken back"
            if gone
            else format_checks(
                tags.parse_checks(event["message"]), checks.list_skipped_checks(event)
            )
        )
        when = f"{event['timestamp']:%Y-%m-%d %H:%M} UTC"
        rows.append(
            f"{when}  {event['ref']:22}  {event['version']:8}  {event['commit'][:7]}  "
            f"{event['author']}  {words}"
        )
    return "\n".join(rows) or "no version was ever in a stage"
