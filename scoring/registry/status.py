"""Show the tags, the model on disk and the model that the server has loaded."""

import json

import requests

from flowers.base.environment import read_scorer_url
from flowers.base.errors import BadInput
from flowers.model.card import CARD, hash_folder
from scoring.registry import checks, remotes, tags, transfer

SERVER_TIMEOUT = 2  # seconds
# Keys of the model in status and in the response to GET /health.
SERVED_KEYS = {
    "version": "model_version",
    "tag": "tag",
    "md5": "model_md5",
    "loaded_at": "loaded_at",
}


def collect_status():
    """Collect what is in each stage, on disk and on the server.

    Returns
    -------
    dict
        ``production``, ``canary``, ``latest``, ``candidate``: dict or None; ``server``: as in
        `query_server`; ``other_names``, if both stages are empty: as in
        `tags.explain_other_names` or None; ``ignored_tags``: as in `tags.explain_ignored_tags`;
        ``warnings``: list of str, why tags may be missing here.
    """
    history = tags.read_history()
    versions = tags.list_versions(history)
    status = {}
    for stage in tags.STAGES:
        event = tags.find_current(history, stage)
        status[stage] = event and {
            **describe_version(event["version"], event["commit"]),
            "tag": event["ref"],
            **describe_checks(event),
            "on_disk": transfer.compare_with_disk(stage, event),
        }
    status["server"] = query_server(read_scorer_url())
    latest = next(iter(versions.items()), None)
    status["latest"] = latest and describe_version(*latest)
    status["candidate"] = describe_candidate(versions)
    if not any(status[stage] for stage in tags.STAGES):
        status["other_names"] = tags.explain_other_names().removeprefix("; ") or None
    status["ignored_tags"] = tags.explain_ignored_tags(history)
    faults, warnings = remotes.find_missing_tags()
    status["warnings"] = [*faults, *warnings]
    return status


def query_server(url):
    """Request the model of a scorer; return ``url`` and ``model`` (`SERVED_KEYS`) or ``error``."""
    try:
        response = requests.get(f"{url.rstrip('/')}/health", timeout=SERVER_TIMEOUT)
    except (requests.RequestException, ValueError):  # urllib3 raises ValueError for odd addresses
        return {"url": url, "error": f"no server at {url}"}
    try:
        health = response.json()
        return {"url": url, "model": {key: health[name] for key, name in SERVED_KEYS.items()}}
    except (KeyError, TypeError, ValueError):
        return {"url": url, "error": f"the server at {url} is not this scorer; set SCORER_URL"}


def describe_version(version, commit):
    """Return version, short commit and MD5 of a model; the MD5 of an unfinished run is None."""
    return {"version": version, "commit": commit[:7], "md5": checks.read_model_md5(commit)}


def describe_checks(event):
    """Return the names of the checks that passed, failed or were skipped for an assignment."""
    return {
        "checks_passed": checks.list_passed_checks(event),
        "checks_failed": checks.list_failed_checks(event),
        "checks_skipped": checks.list_skipped_checks(event),
    }


def describe_candidate(versions):
    """Return version (None if untagged), MD5 and gate of models/candidate; None without a model."""
    try:
        md5 = json.loads((transfer.CANDIDATE / CARD).read_text())["model"]["md5"]
        passed = checks.parse_decision(checks.read_text(checks.DECISION))["passed"]
    except (BadInput, OSError, KeyError, TypeError, ValueError, RecursionError):
        return None
    folder_md5 = hash_folder(transfer.CANDIDATE)
    matches = (v for v, commit in versions.items() if checks.find_folder_md5(commit) == folder_md5)
    return {"version": next(matches, None), "md5": md5, "gate_passed": passed}


def format_status(status):
    """Format the result of `collect_status` as lines."""
    lines = []
    for stage in tags.STAGES:
        entry = status[stage]
        if entry is None:
            lines.append(f"{stage:10}  none")
            continue
        lines.append(f"{format_version(stage, entry)}  {entry['tag']}")
        lines.append(f"{'':10}  {format_checks(entry)}")
        lines.append(f"{'':10}  models/{stage} on disk: {entry['on_disk']}")
    if status.get("other_names"):
        lines.append(f"{'':10}  {status['other_names']}")
    lines.append(format_server(status["server"], status["production"]))
    lines.append(format_version("latest", status["latest"]))
    lines.append(format_candidate(status["candidate"]))
    lines += [f"{tag} is ignored: {reason}" for tag, reason in status["ignored_tags"].items()]
    lines += [f"warning     {warning}" for warning in status["warnings"]]
    return "\n".join(lines)


def format_server(server, production):
    """Format the model of the server, with a remedy if it is not the one in production."""
    if "error" in server:
        return f"server      {server['error']}"
    model = server["model"]
    name = f"{model['version']}  md5 {model['md5']}  {model['tag'] or 'untagged'}"
    line = f"server      {name}  loaded {model['loaded_at']} at {server['url']}"
    # After a rollback to the served model the tags differ, the models do not.
    if production and model["md5"] != production["md5"]:
        line += f"\n{'':10}  not the production model: fetch it and send the server SIGHUP"
    return line


def format_candidate(entry):
    """Format the model in models/candidate."""
    if entry is None:
        return "candidate   none: run dvc repro"
    gate = "passed" if entry["gate_passed"] else "not passed"
    return f"candidate   {entry['version'] or 'untagged'}  md5 {entry['md5']}  gate {gate}"


def format_version(title, entry):
    """Format a version, its commit and its MD5."""
    if entry is None:
        return f"{title:10}  none"
    return f"{title:10}  {entry['version']}  {entry['commit']}  md5 {entry['md5'] or 'unknown'}"


def format_checks(entry):
    """Format the names of the checks in an entry of `describe_checks`."""
    parts = [f"checks passed: {' '.join(entry['checks_passed']) or 'none'}"]
    for outcome in ("failed", "skipped"):
        if names := entry[f"checks_{outcome}"]:
            parts.append(f"{outcome}: {' '.join(names)}")
    return "; ".join(parts)


def format_history():
    """Format every assignment and removal, newest first, one line each."""
    lines = []
    for event in reversed(tags.read_history()):
        if event["stage"] not in tags.STAGES:
            continue
        outcome = "removed"
        if event["event"] != "unassignment":
            outcome = format_checks(describe_checks(event))
        lines.append(
            f"{event['timestamp']:%Y-%m-%d %H:%M} UTC  {event['ref']:22}  {event['version']:8}  "
            f"{event['commit'][:7]}  {event['author']}  {outcome}"
        )
    return "\n".join(lines) or "no version was ever in a stage"
