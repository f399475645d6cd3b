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
from ruamel.yaml import YAML

from stages.support.run import read_yaml, run_stage
from tests.imports import ROOT

COPIED = (
    *("dvc.yaml", "params.yaml", "params.schema.json", ".dvcignore", ".gitignore"),
    *("flowers", "stages", "scoring", "review"),
)
OF_THE_WHOLE = (".git", ".dvc", "flowers", "stages", "scoring")
TINY = {
    "fetch.per_class": 24,
    "fetch.wrong_labels": 2,
    "resize.size": 32,
    "train_svm.folds": 3,
    "train_nb.folds": 3,
    "evaluate.resamples": 200,
    "promote.min_accuracy_low": 0.1,
    "promote.max_log_loss": 3.0,
    "drift_power.quiet_streams": 1,
    "drift_power.streams_per_shift": 1,
    "drift_power.images": 10,
    "drift_power.shifted_shares": [1.0],
}

FISHER = {
    "flatten.features": ["fisher"],
    "codebook.scales": [1.0],
    "codebook.words": 8,
    "train_svm.kernel": "linear",
    "train_svm.standardise": False,
    "train_svm.multiclass": "ovr",
    "train_svm.mirror": True,
    "train_svm.C": 2.0,
    "train_nb.reduce": "lda",
    "train_nb.components": 20,
}


def make_once(tmp_path_factory, name, make):
    """A folder that `make` fills once in a test run, whichever worker needs it first."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


class RepoCopy:
    """One folder with the pipeline in it."""

    def __init__(self, path):
        self.path = Path(path)

    @classmethod
    def create(cls, path):
        """A new one, its files committed to git."""
        path.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, path / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
                )
            else:
                shutil.copy(source, path / name)
        repo_copy = cls(path)
        for command in (
            "git init -q --template=",
            "dvc init -q",
            "dvc config core.analytics false",
        ):
            repo_copy.run(*command.split())
        repo_copy.commit("start")
        return repo_copy

    def copy_to(self, path):
        """This folder once more."""
        shutil.copytree(self.path, path, symlinks=True)
        return RepoCopy(path)

    def copy_workdir(self, path):
        """What the stages of this folder read and write, a quarter of the files."""
        shutil.copytree(self.path, path, ignore=shutil.ignore_patterns(*OF_THE_WHOLE))
        return RepoCopy(path)

    @staticmethod
    def get_search_path():
        """The PATH with this interpreter first: stages say "python"."""
        return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(self, *command, check=True):
        """Run a command here with this interpreter first on the path."""
        env = os.environ | {
            "PATH": self.get_search_path(),
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "Test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "Test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
        }
        done = subprocess.run(command, cwd=self.path, env=env, capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def commit(self, message):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def set_params(self, **params):
        """Set params by "section.key"."""
        if not params:
            return
        yaml, path = YAML(), self.path / "params.yaml"
        content = yaml.load(path)
        for name, value in params.items():
            section, key = name.split(".")
            content[section][key] = value
        yaml.dump(content, path)

    def repro(self, *targets, **options):
        """Names of the stages that ``dvc repro`` runs; DVC itself in this process."""
        with contextlib.chdir(self.path), pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", self.get_search_path())
            with Repo(".") as repo:
                return [stage.name for stage in repo.reproduce(targets or None, **options)]

    def run_stage(self, name, **params):
        """Run one stage, in this process, which has imported what it needs.

        As a process of its own: tests/stages/test_run.py, and each stage of ``dvc repro``.
        """
        self.set_params(**params)
        main = importlib.import_module(f"stages.{name}").main
        with contextlib.chdir(self.path):
            run_stage(name, main)

    def run_all_stages(self):
        """Run all stages in this process, and let DVC lock what they leave."""
        for name in read_yaml(self.path / "dvc.yaml")["stages"]:
            self.run_stage(name)
        self.run("dvc", "commit", "--force", "--quiet")

    def expect_refusal(self, name, **params):
        """What a stage says when it stops: one line, exit code 1."""
        with pytest.raises(SystemExit) as ended:
            self.run_stage(name, **params)
        (line,) = ended.value.code.splitlines()
        return line
