"""The checks before a promotion: each returns a sentence or raises BadInput.

A tag promotes a commit, so the checks read what the commit holds, not the files on disk.
"""

import csv
import hashlib
import io
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
from dvc.exceptions import DvcException
from dvc.repo import Repo

from flowers.base.errors import BadInput
from flowers.evaluation.metrics import run_mcnemar_test
from flowers.model.card import CARD
from scoring.registry.git import read_file_at, read_head, run_git
from scoring.registry.tags import explain_other_names, parse_checks
from scoring.registry.transfer import CANDIDATE, read_folder_md5, read_lock_outputs, verify_model

DECISION = "metrics/promotion.json"
PREDICTIONS = "metrics/predictions.csv"
COMMITTED_FILES = ("dvc.lock", DECISION, PREDICTIONS)
ALPHA = 0.05
# A canary may be less accurate than production: clients never get its predictions.
REQUIRED = {
    "production": ("clean-tree", "lock", "gate", "bytes", "new", "comparison"),
    "canary": ("clean-tree", "lock", "gate", "bytes", "new"),
}


def check_clean_tree(commit):
    """Check that HEAD is the commit to tag and no tracked file differs from it."""
    if read_head() != commit:
        raise BadInput(f"HEAD is no longer {commit[:7]}, another command moved it: try again")
    changes = run_git("status", "--porcelain", "--untracked-files=no").splitlines()
    if changes:
        names = ", ".join(line[2:].strip() for line in changes)
        raise BadInput(f"not committed: {names}; commit or restore them")
    return "every tracked file is committed"


def check_lock(commit):
    """Check that dvc.lock is committed and matches the files on disk and in the commit."""
    missing = [name for name in COMMITTED_FILES if not run_git("ls-tree", commit, name)]
    if missing:
        raise BadInput(f"not in git: {', '.join(missing)}; git add and commit them")
    if read_text("dvc.lock") != read_file_at(commit, "dvc.lock"):
        raise BadInput(f"dvc.lock differs from commit {commit[:7]}: commit or restore it")
    try:
        with Repo(".") as repo:
            on_disk = sorted(repo.status(targets=["promote"], with_deps=True))
            in_commit = sorted(list_changed_stages(repo, commit))
    except DvcException as error:
        raise BadInput(f"dvc status fails ({error}): run dvc repro and commit") from error
    for place, stages in (("on disk", on_disk), (f"in commit {commit[:7]}", in_commit)):
        if stages:
            raise BadInput(
                f"dvc.lock does not match the files of {', '.join(stages)} {place}: see dvc "
                "status, run dvc repro and commit"
            )
    return "dvc.lock is committed and matches every stage up to promote"


def list_changed_stages(repo, commit):
    """List the stages up to promote whose files in a commit differ from its dvc.lock.

    Outputs in the DVC cache are not in the commit and are omitted: `Repo.status` checks them on
    disk.
    """
    with repo.switch(commit):
        targets = repo.stage.collect_granular("promote", with_deps=True)
        stages = {target.stage for target in targets}
        cached = {str(out) for stage in stages for out in stage.outs if out.use_cache}
        return {
            stage.name
            for stage in stages
            if stage.changed_stage()
            or any(str(f) not in cached and f.status() for f in (*stage.deps, *stage.outs))
        }


def check_gate(commit):
    """Check that the candidate passed the gate of its run."""
    decision = parse_decision(read_committed(commit, DECISION))
    if not decision["passed"]:
        failed = [check["check"] for check in decision["checks"] if not check["passed"]]
        raise BadInput(f"not passed: {', '.join(failed)}; {DECISION} has the figures")
    return f"{decision['champion']} passed in {DECISION}"


def check_bytes(commit):
    """Check that the candidate on disk is the one of its card, dvc.lock and promotion.json."""
    if not (CANDIDATE / CARD).is_file():
        raise BadInput(f"no model in {CANDIDATE}: run dvc repro and promote again")
    try:
        md5 = verify_model(CANDIDATE, read_folder_md5(commit))
    except BadInput as error:
        if "dvc repro" in str(error):  # the remedy is there already
            raise
        raise BadInput(f"{error}; remove {CANDIDATE}, run dvc repro and promote again") from error
    expected = parse_decision(read_committed(commit, DECISION))["md5"]
    if expected != md5:
        raise BadInput(f"the model has md5 {md5}, {DECISION} has {expected}: run dvc repro")
    return f"{CANDIDATE}, its card and dvc.lock have md5 {md5}"


def check_new(commit, versions):
    """Check that no other version has the model file of a commit, so that a rollback changes it.

    `versions` is a dict of commit by version.
    """
    md5 = read_model_md5(commit)
    for version, other in versions.items():
        if other != commit and read_model_md5(other) == md5 is not None:
            raise BadInput(
                f"{version} (commit {other[:7]}) has the same model, md5 {md5}: there is nothing "
                f"new to promote; to assign {version}, git checkout {other[:7]} && dvc checkout, "
                "and run this command there"
            )
    return "no other version has this model"


def read_model_md5(commit):
    """Read the MD5 of the model file from the decision of a commit; None if there is none."""
    try:
        return parse_decision(read_file_at(commit, DECISION))["md5"]
    except BadInput:
        return None


def check_comparison(commit, production):
    """Check that production is not significantly more accurate on the common test photos.

    Exact McNemar test of the two champions; photos are matched by content and label. `production`
    is the current assignment or None.
    """
    if production is None:
        return f"there is no production model yet{explain_other_names()}"
    version = production["version"]
    runs = [mark_correct(at) for at in (production["commit"], commit)]
    common = sorted(runs[0].keys() & runs[1].keys())
    if 2 * len(common) < max(map(len, runs)):
        raise BadInput(
            f"not possible: only {len(common)} test photos are common to {version} "
            f"({len(runs[0])}) and the candidate ({len(runs[1])}); compare the models on the same "
            "photos and use --force"
        )
    test = run_mcnemar_test(*(np.array([run[photo] for photo in common]) for run in runs))
    figures = (
        f"{version} alone is correct on {test['only_first_correct']}, the candidate alone on "
        f"{test['only_second_correct']} of {len(common)} common test photos (exact McNemar "
        f"p = {test['p_value']:.4g})"
    )
    if test["p_value"] <= ALPHA and test["only_first_correct"] > test["only_second_correct"]:
        raise BadInput(f"production is more accurate: {figures}; improve the candidate")
    return figures


def mark_correct(commit):
    """Return whether the champion of a commit is correct, by (sha256, label) of test photos."""
    predictions = read_committed(commit, PREDICTIONS)
    champion = parse_decision(read_committed(commit, DECISION))["champion"]
    rows = list(csv.DictReader(io.StringIO(predictions)))
    if not rows or not {"sha256", "label", champion} <= rows[0].keys():
        raise BadInput(f"{PREDICTIONS} has no rows with sha256, label and {champion}; use --force")
    return {(row["sha256"], row["label"]): row[champion] == row["label"] for row in rows}


def read_committed(commit, path):
    """Read an output as a commit holds it; BadInput if its MD5 differs from dvc.lock there."""
    text = read_file_at(commit, path)
    expected = read_lock_outputs(read_file_at(commit, "dvc.lock")).get(path)
    if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() != expected:
        raise BadInput(
            f"{path} in commit {commit[:7]} differs from its dvc.lock: run dvc repro and commit"
        )
    return text


def read_text(path):
    """Read an output of the run in the workspace."""
    try:
        return Path(path).read_text()
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: run dvc repro") from error


def parse_decision(text):
    """Parse metrics/promotion.json."""
    try:
        decision = json.loads(text)
        return {key: decision[key] for key in ("champion", "passed", "checks", "md5")}
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{DECISION} holds no decision: run dvc repro") from error


def format_checks(commit, names):
    """Format the passed checks of a commit for a tag message, with their digest."""
    return f"checks: {' '.join(names)}\ndigest: {compute_checks_digest(commit, names)}"


def compute_checks_digest(commit, names):
    """Compute the SHA-256 of a commit, the MD5 of its model folder and the checks that it passed.

    It ties the checks in a tag message to one commit: lines that were copied from another tag do
    not count. It is no signature; ``git config tag.gpgSign true`` signs the tags.
    """
    return hashlib.sha256(" ".join((commit, find_folder_md5(commit), *names)).encode()).hexdigest()


@cache
def find_folder_md5(commit):
    """Read the MD5 of the model folder in the dvc.lock of a commit; "none" without one."""
    try:
        return read_folder_md5(commit)
    except BadInput:
        return "none"  # --force tagged a commit without a lock file


def list_passed_checks(event):
    """List the checks that the tag of an event records with the digest of its commit."""
    return parse_checks(event["message"]) if _has_digest(event) else []


def _has_digest(event):
    names = parse_checks(event["message"])
    digest = re.search(r"^digest: (\S+)$", event["message"], flags=re.MULTILINE)
    return bool(digest) and digest.group(1) == compute_checks_digest(event["commit"], names)


def has_passed_all(event):
    """Return whether the tag of an assignment records every required check as passed."""
    return set(REQUIRED[event["stage"]]) <= set(list_passed_checks(event))


def list_failed_checks(event):
    """List the required checks that failed and that ``--force`` overruled."""
    # Older tags have "skipped:" for the same checks.
    failed = re.search(r"^(?:failed|skipped): (.*)$", event["message"], flags=re.MULTILINE)
    names = failed.group(1).split() if failed and _has_digest(event) else []
    return [name for name in REQUIRED[event["stage"]] if name in names]


def list_skipped_checks(event):
    """List the required checks that did not run, or whose outcome the tag does not record."""
    done = {*list_passed_checks(event), *list_failed_checks(event)}
    return [name for name in REQUIRED[event["stage"]] if name not in done]
