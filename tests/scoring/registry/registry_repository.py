"""A real repository for tests of the registry: git, DVC and the pipeline on a few small photos."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from scoring.registry.__main__ import main
from scoring.registry.git import run_git

ROOT = Path(__file__).parents[3]
# The more accurate model is the champion: on the branch "nb" the SVM has a useless kernel.
CHANGED_PARAMS = {
    "promote.alpha": 1.0,
    "split.test_size": 0.4,
    "train_svm.calibration": "isotonic",
    "promote.min_accuracy_low": 0.0,
    "promote.max_log_loss": 100,
    "promote.golden": 1,
}
ALL_CHECKS = ["clean-tree", "lock", "gate", "bytes", "new", "comparison"]


def commit_all(text):
    run_git("add", "--all")
    run_git("commit", "--quiet", "--message", text)
    return run_git("rev-parse", "HEAD")


def commit_empty():
    run_git("commit", "--quiet", "--allow-empty", "--message", "the same model again")


def tag_by_hand(name, at="HEAD", annotated=True):
    run_git("tag", *(["--annotate", "--message", "mine"] if annotated else []), name, at)


def run_dvc(command, **options):
    """Run a command of DVC in this process, where it is imported already."""
    with Repo(".") as repo:
        return getattr(repo, command)(**options)


def edit_file(path, old, new):
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def enter_repository(folder, patch):
    patch.chdir(folder)
    # The stages run "python": it has to be the one of the tests.
    patch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    patch.setenv("SCORER_URL", "http://127.0.0.1:9")  # a closed port


def make_run(finished_run, folder):
    """Make a repository with the finished run on the branch "run"."""
    copy = finished_run.copy_to(folder)
    shutil.copy(ROOT / ".dvc/config", folder / ".dvc/config")
    with pytest.MonkeyPatch.context() as patch:
        enter_repository(folder, patch)
        run_git("config", "user.name", "Test")
        run_git("config", "user.email", "test@example.org")
        run_git("checkout", "--quiet", "-b", "run")
        commit_all("run")
    return copy


def make_runs(finished_run, folder):
    """Make a repository with two more runs, SVM and naive Bayes, on branches of these names."""
    copy = make_run(finished_run, folder)
    with pytest.MonkeyPatch.context() as patch:
        enter_repository(folder, patch)
        for branch, gamma in (("svm", "scale"), ("nb", 100.0)):
            run_git("checkout", "--quiet", "-b", branch)
            copy.set_params(**CHANGED_PARAMS, **{"train_svm.gamma": gamma})
            run_dvc("reproduce", targets=["promote"])
            commit_all(branch)
    assert json.loads((folder / "metrics/promotion.json").read_text())["champion"] == "nb"


def switch_branch(branch):
    """Check out the run of a branch, its cached outputs too."""
    run_git("checkout", "--quiet", branch)
    run_dvc("checkout", force=True)


def damage_cache(md5):
    """Flip one bit of an object in the DVC cache."""
    path = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def read_status(capsys):
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def read_files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != "provenance.json"
    }


def expect_refusal(capsys, *words):
    """Run a command that must be refused; return the lines of standard error."""
    capsys.readouterr()
    assert main(list(words)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines and all(line.startswith(f"{words[0]}: ") for line in lines)
    return "\n".join(lines)
