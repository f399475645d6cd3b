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
from tests.workshop import shared

ROOT = Path(__file__).parents[3]
# An SVM that answers better, calibrated so badly that a gate on log loss would prefer the other.
SMALL = {
    "  per_class: 200 ": "  per_class: 20 ",
    "  conflicts: 4 ": "  conflicts: 1 ",
    "  size: 128 ": "  size: 32 ",
    "  test_size: 0.2": "  test_size: 0.4",
    "  folds: 5": "  folds: 2",
    "  resamples: 2000 ": "  resamples: 100 ",
    "  calibration: temperature # temperature": "  calibration: isotonic #",
    "  min_accuracy_low: 0.4 ": "  min_accuracy_low: 0.0 ",
    "  max_log_loss: 1.4 ": "  max_log_loss: 100 ",
    "  alpha: 0.05 ": "  alpha: 1.0 ",
    "  golden: 5 ": "  golden: 1 ",
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


def make_runs(folder):
    """Make a repository with two finished runs, SVM and naive Bayes, on branches of the names."""
    names = subprocess.run(
        ("git", "ls-files", "--cached"), cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in (n for n in names if n.startswith((".dvc", "dvc.yaml", "params", "flowers/"))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "stages", folder / "stages", ignore=shutil.ignore_patterns("*.pyc"))
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        Path("dvc.lock").unlink(missing_ok=True)
        ignored = ("__pycache__/", "/models/production", "/models/canary", "/models/*.digest.json")
        Path(".gitignore").write_text("\n".join(ignored) + "\n")
        for old, new in SMALL.items():
            edit("params.yaml", old, new)
        call("git", "init", "--quiet", "--initial-branch", "svm")
        call("git", "config", "user.name", "Test")
        call("git", "config", "user.email", "test@example.org")
        dvc("reproduce")
        commit("SVM")
        edit("params.yaml", "  alpha: 1.0 ", "  alpha: 0.05 ")
        call("git", "checkout", "--quiet", "-b", "nb")
        dvc("reproduce")
        commit("naive Bayes")
    assert json.loads((folder / "metrics/promotion.json").read_text())["champion"] == "nb"


def own_copy(tmp_path_factory, tmp_path, patch):
    """A copy for one test, on branch "nb", as the working folder."""
    runs = shared(tmp_path_factory, "runs", make_runs)
    shutil.copytree(runs, tmp_path / "repo", symlinks=True)
    work_in(tmp_path / "repo", patch)
    return tmp_path / "repo"


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
        if path.is_file() and path.name != "origin.json"
    }


def refused(capsys, *words):
    """The reasons on stderr of a command that refuses."""
    capsys.readouterr()
    assert main(list(words)) == 1
    reasons = capsys.readouterr().err.splitlines()
    assert reasons and all(line.startswith(f"{words[0]}: ") for line in reasons)
    return "\n".join(reasons)
