"""Checks that block a promotion, and what --force records."""

import json
import shutil
from pathlib import Path

import pytest

from scoring.registry.__main__ import main
from scoring.registry.git import run_git
from tests.scoring.registry.registry_repository import (
    ALL_CHECKS,
    commit_all,
    commit_empty,
    edit_file,
    expect_refusal,
    read_status,
    run_dvc,
    tag_by_hand,
)


@pytest.mark.usefixtures("lock_matches")
@pytest.mark.parametrize(
    "name", ["model.joblib", pytest.param("card.json", marks=pytest.mark.slow)]
)
def test_an_altered_candidate_is_not_promoted(repo, capsys, name):
    path = Path("models/candidate") / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-3] + b" " + content[-2:])
    assert "bytes: " in expect_refusal(capsys, "promote")
    assert run_git("tag") == ""


@pytest.mark.usefixtures("lock_matches")
def test_an_uncommitted_change_is_refused_and_force_records_it(repo, capsys):
    edit_file("params.yaml", "# pixels a side", "# pixels on a side")
    assert "params.yaml" in expect_refusal(capsys, "promote")
    assert run_git("tag") == ""
    assert main(["promote", "--force"]) == 0
    production = read_status(capsys)["production"]
    # The change is in a comment: dvc.lock records values.
    assert (production["checks_failed"], production["checks_skipped"]) == (["clean-tree"], [])
    message = run_git("tag", "-n99", "--list", "flowers#*")
    assert "failed: clean-tree" in message and "skipped" not in message
    assert main(["history"]) == 0
    assert capsys.readouterr().out.strip().endswith("comparison; failed: clean-tree")


@pytest.mark.usefixtures("lock_matches")
def test_a_candidate_that_is_not_there_is_named_with_one_remedy(repo, capsys):
    shutil.rmtree("models/candidate")
    error = expect_refusal(capsys, "promote")
    assert "bytes: no model in models/candidate: run dvc repro" in error
    assert error.count("dvc repro") == 1


@pytest.mark.usefixtures("lock_matches")
def test_checks_that_were_copied_from_another_tag_do_not_count(promoted, capsys):
    message = run_git("for-each-ref", "--format=%(contents)", "refs/tags/flowers#production#1")
    assert "checks: clean-tree" in message and "digest: " in message
    commit_empty()
    run_git("tag", "--annotate", "flowers#production#2", "--message", message)
    assert read_status(capsys)["production"]["checks_skipped"] == ALL_CHECKS
    assert main(["history"]) == 0
    newest, first = capsys.readouterr().out.splitlines()
    assert "checks passed: none; skipped: clean-tree" in newest
    assert first.endswith("checks passed: " + " ".join(ALL_CHECKS))
    # A rollback to that commit records none of them either.
    commit_empty()
    tag_by_hand("flowers#production#3")
    assert main(["rollback"]) == 0
    assert read_status(capsys)["production"]["checks_skipped"] == ALL_CHECKS


@pytest.mark.usefixtures("lock_matches")
def test_a_name_that_was_added_to_the_checks_of_a_tag_does_not_count(promoted, capsys):
    message = run_git("for-each-ref", "--format=%(contents)", "refs/tags/flowers#production#1")
    assert main(["canary"]) == 0
    canary = run_git("for-each-ref", "--format=%(contents)", "refs/tags/flowers#canary#2")
    assert canary.splitlines()[2:] == message.splitlines()[2:]
    edited = message.replace(" comparison", " comparison more")
    run_git("tag", "--annotate", "flowers#production#3", "--message", edited)
    assert read_status(capsys)["production"]["checks_passed"] == []


@pytest.mark.slow
def test_forced_on_a_dirty_tree_the_checks_read_the_commit(both, capsys):
    run_git("checkout", "--quiet", "svm")
    # The workspace has the lock and metrics of "nb", HEAD those of "svm".
    run_git("checkout", "nb", "--", ".")
    assert main(["promote", "--force"]) == 0
    production = read_status(capsys)["production"]
    assert production["commit"] == run_git("rev-parse", "--short=7", "svm")
    assert production["checks_passed"] == ["gate", "new", "comparison"]
    message = run_git("for-each-ref", "--format=%(contents)", "refs/tags/flowers#*")
    assert "failed: clean-tree lock bytes" in message


@pytest.mark.slow
def test_outputs_edited_by_hand_are_refused_even_when_committed(repo, capsys):
    tag_by_hand("flowers#production#1")
    for name in ("metrics/promotion.json", "metrics/predictions.csv"):
        original = Path(name).read_text()
        Path(name).write_text(original.rstrip("\n") + " \n")
        commit_all("edited")
        assert f"comparison: {name}" in expect_refusal(capsys, "promote")
        Path(name).write_text(original)
    run_git("checkout", "--quiet", "HEAD", "--", ".")
    assert main(["promote", "--force"]) == 0
    assert {"lock", "comparison"} <= set(read_status(capsys)["production"]["checks_failed"])


@pytest.mark.slow
def test_a_lock_that_matches_only_uncommitted_files_is_refused(repo, capsys):
    edit_file("flowers/learning/gram.py", '"""', '""" ')
    run_dvc("commit", target="promote", with_deps=True, force=True)
    run_git("add", "dvc.lock")
    run_git("commit", "--quiet", "--message", "the lock without its code")
    # git ignores changes of this file, so the tree is clean.
    run_git("update-index", "--assume-unchanged", "flowers/learning/gram.py")
    (line,) = expect_refusal(capsys, "promote").splitlines()
    assert "lock: " in line and "train_svm" in line


def test_a_lock_that_does_not_match_or_is_not_committed_is_refused(repo, capsys):
    edit_file("flowers/learning/gram.py", '"""', '""" ')
    commit_all("code that no run used")
    assert "train_svm" in expect_refusal(capsys, "promote")
    run_git("rm", "--quiet", "--cached", "dvc.lock")
    run_git("commit", "--quiet", "--message", "forgotten")
    assert "not in git: dvc.lock" in expect_refusal(capsys, "promote")


@pytest.mark.usefixtures("lock_matches")
def test_a_failed_gate_is_refused(repo, capsys):
    decision = json.loads(Path("metrics/promotion.json").read_text())
    decision["passed"] = decision["checks"][1]["passed"] = False
    Path("metrics/promotion.json").write_text(json.dumps(decision))
    run_dvc("commit", target="promote", force=True)
    commit_all("a failed gate")
    lines = expect_refusal(capsys, "promote").splitlines()
    assert "min_accuracy_low" in next(line for line in lines if "gate: " in line)


def tag_other_predictions(change_rows):
    """Tag by hand, on another branch, a commit whose predictions.csv has changed rows."""
    path = Path("metrics/predictions.csv")
    header, *rows = (line.split(",") for line in path.read_text().splitlines())
    rows = change_rows(header, rows)
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    run_dvc("commit", target="evaluate", force=True)
    run_git("checkout", "--quiet", "-b", "other")
    commit_all("other predictions")
    tag_by_hand("flowers#production#1")
    run_git("checkout", "--quiet", "run")


def correct_all(header, rows):
    champion = json.loads(Path("metrics/promotion.json").read_text())["champion"]
    for row in rows:
        row[header.index(champion)] = row[header.index("label")]
    return rows


@pytest.mark.slow
def test_a_significantly_worse_model_becomes_canary_but_not_production(repo, capsys):
    tag_other_predictions(correct_all)
    assert "comparison: " in expect_refusal(capsys, "promote")
    # The commit of the other predictions has the same model, which --force assigns again.
    assert main(["canary", "--version", "v3.0.0", "--force"]) == 0
    status = read_status(capsys)
    assert status["canary"]["version"] == "v3.0.0"
    assert status["canary"]["checks_failed"] == ["new"]
    assert status["production"]["checks_skipped"] == ALL_CHECKS
    assert main(["promote", "--force"]) == 0
    production = read_status(capsys)["production"]
    assert production["version"] == "v3.0.0"
    assert set(production["checks_failed"]) == {"comparison", "new"}


@pytest.mark.slow
def test_too_few_common_test_photos_need_force(repo, capsys):
    tag_other_predictions(lambda _, rows: rows[: len(rows) // 2 - 1])
    message = expect_refusal(capsys, "promote")
    assert "not possible" in message and "--force" in message
    assert main(["promote", "--force"]) == 0
