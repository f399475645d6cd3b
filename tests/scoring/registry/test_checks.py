"""What keeps a model from production, and what --force records."""

import json
from pathlib import Path

import pytest

from scoring.registry.__main__ import main
from tests.scoring.registry.registry_repository import (
    ALL_CHECKS,
    call,
    commit,
    dvc,
    edit,
    refused,
    status,
)


@pytest.mark.parametrize("name", ["model.joblib", "card.json"])
def test_an_altered_candidate_is_not_promoted(repo, capsys, name):
    path = Path("models/candidate") / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-3] + b" " + content[-2:])
    assert "bytes: " in refused(capsys, "promote")
    assert call("git", "tag") == ""


def test_an_uncommitted_change_is_refused_and_force_records_it(repo, capsys):
    edit("params.yaml", "# pixels a side", "# pixels on a side")
    assert "params.yaml" in refused(capsys, "promote")
    assert call("git", "tag") == ""
    assert main(["promote", "--force"]) == 0
    production = status(capsys)["production"]
    # A comment changes no value; a lock is of values.
    assert production["checks_skipped"] == ["clean-tree"]
    assert "skipped: clean-tree" in call("git", "tag", "-n99", "--list", "flowers#*")


@pytest.mark.slow
def test_forced_on_a_dirty_tree_nothing_in_the_workspace_counts_as_evidence(both, capsys):
    call("git", "checkout", "--quiet", "svm")
    # The run of "nb" lies here, its lock and metrics as well; HEAD holds another.
    call("git", "checkout", "nb", "--", ".")
    assert main(["promote", "--force"]) == 0
    production = status(capsys)["production"]
    assert production["commit"] == call("git", "rev-parse", "--short=7", "svm")
    assert production["checks_passed"] == ["gate", "comparison"]
    message = call("git", "for-each-ref", "--format=%(contents)", "refs/tags/flowers#*")
    assert "skipped: clean-tree lock bytes" in message


@pytest.mark.slow
def test_evidence_edited_by_hand_is_not_believed_even_when_committed(repo, capsys):
    call("git", "tag", "--annotate", "--message", "mine", "flowers#production#1")
    for name in ("metrics/promotion.json", "metrics/predictions.csv"):
        true = Path(name).read_text()
        Path(name).write_text(true.rstrip("\n") + " \n")
        commit("a lie")
        assert f"comparison: {name}" in refused(capsys, "promote")
        Path(name).write_text(true)
    call("git", "checkout", "--quiet", "HEAD", "--", ".")  # the last lie again
    assert main(["promote", "--force"]) == 0
    assert {"lock", "comparison"} <= set(status(capsys)["production"]["checks_skipped"])


def test_a_lock_that_is_true_only_of_files_that_git_does_not_hold_is_refused(repo, capsys):
    edit("flowers/learning/gram.py", '"""', '""" ')
    dvc("commit", force=True)
    call("git", "add", "dvc.lock")
    call("git", "commit", "--quiet", "--message", "the lock without its code")
    # Git is told not to look at the file: the tree is clean for it.
    call("git", "update-index", "--assume-unchanged", "flowers/learning/gram.py")
    reasons = refused(capsys, "promote").splitlines()
    assert len(reasons) == 1 and "lock: " in reasons[0] and "train_svm" in reasons[0]


def test_a_lock_that_is_not_true_or_not_committed_is_refused(repo, capsys):
    edit("flowers/learning/gram.py", '"""', '""" ')
    commit("code that no run used")
    assert "train_svm" in refused(capsys, "promote")
    call("git", "rm", "--quiet", "--cached", "dvc.lock")
    call("git", "commit", "--quiet", "--message", "forgotten")
    assert "not in git: dvc.lock" in refused(capsys, "promote")


def test_a_failed_gate_is_refused(repo, capsys):
    decision = json.loads(Path("metrics/promotion.json").read_text())
    decision["passed"] = decision["checks"][1]["passed"] = False
    Path("metrics/promotion.json").write_text(json.dumps(decision))
    dvc("commit", target="promote", force=True)
    commit("a failed gate")
    gate = [line for line in refused(capsys, "promote").splitlines() if "gate: " in line]
    assert "min_accuracy_low" in gate[0]


def better_production():
    """Tag, by hand, a commit whose champion answers every test photo right."""
    path = Path("metrics/predictions.csv")
    champion = json.loads(Path("metrics/promotion.json").read_text())["champion"]
    header, *rows = (line.split(",") for line in path.read_text().splitlines())
    for row in rows:
        row[header.index(champion)] = row[header.index("label")]
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    dvc("commit", target="evaluate", force=True)
    call("git", "checkout", "--quiet", "-b", "other")
    commit("all right")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#production#1")
    call("git", "checkout", "--quiet", "run")


@pytest.mark.slow
def test_a_significantly_worse_model_becomes_canary_but_not_production(repo, capsys):
    better_production()
    assert "comparison: " in refused(capsys, "promote")
    assert main(["canary", "--version", "v3.0.0"]) == 0
    found = status(capsys)
    assert found["canary"]["version"] == "v3.0.0"
    assert found["canary"]["checks_skipped"] == []
    assert found["production"]["checks_skipped"] == ALL_CHECKS
    assert main(["promote", "--force"]) == 0
    found = status(capsys)["production"]
    assert found["version"] == "v3.0.0"
    assert found["checks_skipped"] == ["comparison"]


@pytest.mark.slow
def test_too_few_common_test_photos_need_force(repo, capsys):
    path = Path("metrics/predictions.csv")
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *rows[: len(rows) // 2 - 1]]) + "\n")
    dvc("commit", target="evaluate", force=True)
    call("git", "checkout", "--quiet", "-b", "other")
    commit("other test photos")
    call("git", "tag", "--annotate", "--message", "mine", "flowers#production#1")
    call("git", "checkout", "--quiet", "run")
    reasons = refused(capsys, "promote")
    assert "not possible" in reasons and "--force" in reasons
    assert main(["promote", "--force"]) == 0
