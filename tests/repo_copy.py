"""A copy of this repository, with git and DVC, in which tests run the real commands."""

import contextlib
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo
from filelock import FileLock

from stages.support.run import read_yaml, run_stage
from study.parameters import replace_values
from study.recipes import read_recipe
from tests.imports import ROOT

COPIED = (
    "dvc.yaml",
    "power",
    "params.yaml",
    "params.schema.json",
    ".dvcignore",
    ".gitignore",
    "flowers",
    "stages",
    "scoring",
    "review",
)
CODE = (".git", ".dvc", "flowers", "stages", "scoring")
TINY = read_recipe("pixels") | {
    "fetch.per_class": 24,
    "fetch.wrong_labels": 2,
    "resize.size": 32,
    "train_svm.folds": 3,
    "train_nb.folds": 3,
    "evaluate.resamples": 200,
    "promote.min_accuracy_low": 0.1,
    "promote.max_log_loss": 3.0,
    "drift_power.unshifted_streams": 1,
    "drift_power.streams_per_shift": 1,
    "drift_power.images": 10,
    "drift_power.shifted_shares": [1.0],
}
FISHER = read_recipe("fisher-small") | {
    "resize.size": 32,
    "codebook.scales": [1.0],
    "codebook.words": 8,
    "train_svm.augment": 1,
    "train_nb.components": 20,
}


def make_once(tmp_path_factory, name, make):
    """Fill a folder with `make` once in a test run, in the first worker that needs it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / name
    done = base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


def copy_folder(source, target, exclude=()):
    """Copy a folder without the members named in `exclude`; cp takes a quarter of Python's time."""
    target.mkdir(parents=True)
    members = [path for path in source.iterdir() if path.name not in exclude]
    subprocess.run(["cp", "-Rp", *members, target], check=True)


class RepoCopy:
    """A folder that holds the pipeline.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path):
        self.path = Path(path)

    @classmethod
    def create(cls, path):
        """Copy the code and parameters of this repository and commit them."""
        path.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "dvc.lock")
                shutil.copytree(source, path / name, ignore=ignored)
            else:
                shutil.copy(source, path / name)
        repo = cls(path)
        repo.run("git", "init", "-q", "--template=")
        Repo.init(path).close()
        (path / ".dvc/config").write_text("[core]\n    analytics = false\n")
        repo.commit("start")
        return repo

    def copy_to(self, path):
        """Copy the whole folder."""
        copy_folder(self.path, path)
        return RepoCopy(path)

    def copy_workdir(self, path):
        """Copy only what the stages read and write: a quarter of the files."""
        copy_folder(self.path, path, exclude=CODE)
        return RepoCopy(path)

    @staticmethod
    def get_environment():
        """Variables of commands: this interpreter is first on the path, and git knows an author."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
        }

    def run(self, *command, check=True):
        """Run a command in the folder; with `check`, its exit code must be 0."""
        env = self.get_environment()
        done = subprocess.run(command, cwd=self.path, env=env, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def commit(self, message):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def set_params(self, **params):
        """Set parameters by "section.key"."""
        if not params:
            return
        path = self.path / "params.yaml"
        path.write_text(replace_values(path.read_text(), params))

    def run_dvc(self, command, *arguments, **options):
        """Run a command of DVC in this process, which has imported it already."""
        with contextlib.chdir(self.path), pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", self.get_environment()["PATH"])
            with Repo(".") as repo:
                return getattr(repo, command)(*arguments, **options)

    def repro(self, *targets, **options):
        """Names of the stages that ``dvc repro`` runs."""
        return [stage.name for stage in self.run_dvc("reproduce", targets or None, **options)]

    def run_stage(self, name, **params):
        """Run one stage in this process, which has loaded its imports already.

        tests/stages/test_run.py and the tests of ``dvc repro`` run stages as processes.
        """
        self.set_params(**params)
        main = importlib.import_module(f"stages.{name}").main
        with contextlib.chdir(self.path):
            run_stage(name, main)

    def run_all_stages(self):
        """Run all stages in this process and write dvc.lock."""
        for name in read_yaml(self.path / "dvc.yaml")["stages"]:
            self.run_stage(name)
        self.run_dvc("commit", "dvc.yaml", force=True)

    def expect_refusal(self, name, **params):
        """Run a stage that must stop; its message, which must be one line."""
        with pytest.raises(SystemExit) as stopped:
            self.run_stage(name, **params)
        (line,) = stopped.value.code.splitlines()
        return line
