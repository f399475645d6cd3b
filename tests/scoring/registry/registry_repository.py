"""A real repository for tests of the registry: git, DVC and the pipeline on a few small photos."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from scoring.registry.__main__ import main

ROOT = Path(__file__).parents[3]
# An SVM that answers better, calibrated so badly that a gate on log loss would prefer the other.
CHANGED = {
    "split.test_size": 0.4,
    "train_svm.calibration": "isotonic",
    "promote.min_accuracy_low": 0.0,
    "promote.max_log_loss": 100,
    "promote.golden": 1,
}
ALL_CHECKS = ["clean-tree", "lock", "gate", "bytes", "comparison"]


def call(*words):
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def commit(text):
    call("git", "add", "--all")
    call("git", "commit", "--quiet", "--message", text)
    return call("git", "rev-parse", "HEAD")


def dvc(command, **options):
    """Run a command of DVC in this process, where it is imported already."""
    with Repo(".") as repo:
        return getattr(repo, command)(**options)


def empty_commit(text):
    call("git", "commit", "--quiet", "--allow-empty", "--message", text)


def edit(path, old, new):
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def work_in(folder, patch):
    patch.chdir(folder)
    # The stages say "python": it is the one that runs the tests.
    patch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])


def make_run(finished_run, folder):
    """Make a repository with the finished run on the branch "run"; returns its `RepoCopy`."""
    repo_copy = finished_run.copy_to(folder)
    shutil.copy(ROOT / ".dvc/config", folder / ".dvc/config")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        call("git", "config", "user.name", "Test")
        call("git", "config", "user.email", "test@example.org")
        call("git", "checkout", "--quiet", "-b", "run")
        commit("run")
    return repo_copy


def make_runs(finished_run, folder):
    """Make a repository with two more runs, SVM and naive Bayes, on branches of the names."""
    repo_copy = make_run(finished_run, folder)
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        for branch, alpha in (("svm", 1.0), ("nb", 0.01)):
            call("git", "checkout", "--quiet", "-b", branch)
            repo_copy.set_params(**CHANGED, **{"promote.alpha": alpha})
            dvc("reproduce", targets=["promote"])
            commit(branch)
    assert json.loads((folder / "metrics/promotion.json").read_text())["champion"] == "nb"


def switch(branch):
    """What dvc checkout does, by hand: the run of a branch in the workspace."""
    call("git", "checkout", "--quiet", branch)
    dvc("checkout", force=True)


def status(capsys):
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != "provenance.json"
    }


def refused(capsys, *words):
    """The reasons on stderr of a command that refuses."""
    capsys.readouterr()
    assert main(list(words)) == 1
    reasons = capsys.readouterr().err.splitlines()
    assert reasons and all(line.startswith(f"{words[0]}: ") for line in reasons)
    return "\n".join(reasons)
