"""What has to hold before a model is promoted: one function per check, a sentence or a refusal.

A tag promotes a commit, so the evidence is that of the commit, never of the files on disk.
"""

import csv
import hashlib
import io
import json
from pathlib import Path

import numpy as np
from dvc.exceptions import DvcException
from dvc.repo import Repo

from flowers.base.errors import BadInput
from flowers.evaluation.metrics import run_mcnemar_test
from scoring.registry.fetch import CANDIDATE, read_lock_md5, verify_model
from scoring.registry.git import read_file_at, read_head, run_git
from scoring.registry.locked import read_lock_outputs
from scoring.registry.tags import parse_checks

DECISION, PREDICTIONS = "metrics/promotion.json", "metrics/predictions.csv"
EVIDENCE = ("dvc.lock", DECISION, PREDICTIONS)
ALPHA = 0.05
# What a tag of each stage has to have passed; a canary may be worse, it answers nobody.
REQUIRED = {
    "production": ("clean-tree", "lock", "gate", "bytes", "comparison"),
    "canary": ("clean-tree", "lock", "gate", "bytes"),
}


def check_clean_tree(commit):
    """No tracked file differs from the commit that the tag will name, which HEAD still is."""
    if read_head() != commit:
        raise BadInput(f"HEAD is no longer {commit[:7]}: another command moved it; try again")
    changed = run_git("status", "--porcelain", "--untracked-files=no").splitlines()
    if changed:
        names = ", ".join(line[2:].strip() for line in changed)
        raise BadInput(f"not committed: {names}; commit or restore them")
    return "every tracked file is as committed"


def check_lock(commit):
    """dvc.lock on disk is that of the commit, and true of the files on disk and in the commit."""
    missing = [name for name in EVIDENCE if not run_git("ls-tree", commit, name)]
    if missing:
        raise BadInput(f"not in git: {', '.join(missing)}; git add and commit them")
    if read_text("dvc.lock") != read_file_at(commit, "dvc.lock"):
        raise BadInput(f"dvc.lock is not that of commit {commit[:7]}; commit or restore it")
    try:
        with Repo(".") as repo:
            changed = sorted(repo.status(targets=["promote"], with_deps=True))
            there = sorted(list_changed_stages(repo, commit))
    except DvcException as error:
        raise BadInput(f"dvc status fails: {error}") from error
    for where, stages in (("on disk", changed), (f"in commit {commit[:7]}", there)):
        if stages:
            raise BadInput(
                f"dvc.lock is not true of {', '.join(stages)} {where}; see dvc status, run "
                "dvc repro, commit"
            )
    return "dvc.lock is committed and true of every stage up to promote"


def list_changed_stages(repo, commit):
    """Names of the stages up to promote whose files in a commit are not those of its dvc.lock.

    What DVC keeps itself is not in the commit and is left out: `Repo.status` looks at it on disk.
    """
    with repo.switch(commit):
        stages = {found.stage for found in repo.stage.collect_granular("promote", with_deps=True)}
        kept = {str(out) for stage in stages for out in stage.outs if out.use_cache}
        return {
            stage.name
            for stage in stages
            if stage.changed_stage()
            or any(str(f) not in kept and f.status() for f in (*stage.deps, *stage.outs))
        }


def check_gate(commit):
    """The candidate passed the gate of its own run."""
    decision = parse_decision(read_evidence(commit, DECISION))
    if not decision["passed"]:
        failed = [check["check"] for check in decision["checks"] if not check["passed"]]
        raise BadInput(f"not passed: {', '.join(failed)}; {DECISION} has the figures")
    return f"{decision['champion']} passed in {DECISION}"


def check_bytes(commit):
    """The bytes of the candidate are those of its card, dvc.lock and promotion.json."""
    try:
        md5 = verify_model(CANDIDATE, read_lock_md5(read_file_at(commit, "dvc.lock")))
    except BadInput as error:
        raise BadInput(f"{error}; remove {CANDIDATE}, run dvc repro and look again") from error
    stated = parse_decision(read_evidence(commit, DECISION))["md5"]
    if stated != md5:
        raise BadInput(f"the model has md5 {md5}, {DECISION} says {stated}; run dvc repro")
    return f"md5 {md5} in {CANDIDATE}, its card and dvc.lock"


def check_comparison(commit, present):
    """Production is not significantly better on the test photos that both runs have.

    Exact McNemar test of the two champions, joined by content and label of the photo.

    Parameters
    ----------
    commit : str
    present : dict or None
        The assignment of the production model.
    """
    if present is None:
        return "there is no production model yet"
    version = present["version"]
    theirs, ours = (
        mark_correct(read_evidence(at, PREDICTIONS), read_evidence(at, DECISION))
        for at in (present["commit"], commit)
    )
    common = sorted(theirs.keys() & ours.keys())
    if 2 * len(common) < max(len(theirs), len(ours)):
        raise BadInput(
            f"not possible: {len(common)} test photos are those of {version}, out of {len(ours)} "
            f"here and {len(theirs)} there; judge by other means and use --force"
        )
    test = run_mcnemar_test(*(np.array([run[photo] for photo in common]) for run in (theirs, ours)))
    figures = (
        f"{version} alone is right on {test['only_first_correct']}, the candidate alone on "
        f"{test['only_second_correct']} of {len(common)} common test photos (exact McNemar "
        f"p = {test['p_value']:.4g})"
    )
    if test["p_value"] <= ALPHA and test["only_first_correct"] > test["only_second_correct"]:
        raise BadInput(f"production is better: {figures}")
    return figures


def mark_correct(predictions, decision):
    """Which test photos the champion of a run answers right.

    Parameters
    ----------
    predictions, decision : str
        The texts of the two files.

    Returns
    -------
    dict of (sha256, label) to bool
    """
    champion = parse_decision(decision)["champion"]
    rows = list(csv.DictReader(io.StringIO(predictions)))
    if not rows or not {"sha256", "label", champion} <= rows[0].keys():
        raise BadInput(f"{PREDICTIONS} has no rows with sha256, label and {champion}; use --force")
    return {(row["sha256"], row["label"]): row[champion] == row["label"] for row in rows}


def read_evidence(commit, path):
    """The text of a file that the run of a commit wrote, with the bytes of that commit's dvc.lock.

    Raises
    ------
    BadInput
        If the commit does not have it, or its dvc.lock knows other bytes.
    """
    text = read_file_at(commit, path)
    stated = read_lock_outputs(read_file_at(commit, "dvc.lock")).get(path)
    if hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() != stated:
        raise BadInput(
            f"{path} in commit {commit[:7]} is not what its dvc.lock says: run dvc repro, commit"
        )
    return text


def read_text(path):
    """The text of a file that a finished run leaves."""
    try:
        return Path(path).read_text()
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: run dvc repro") from error


def parse_decision(text):
    """The decision that the promote stage wrote."""
    try:
        decision = json.loads(text)
        return {key: decision[key] for key in ("champion", "passed", "checks", "md5")}
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{DECISION} holds no decision: run dvc repro") from error


def list_skipped_checks(event):
    """Names of the checks that the tag of an assignment does not show."""
    done = parse_checks(event["message"])
    return [name for name in REQUIRED[event["stage"]] if name not in done]
