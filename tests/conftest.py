"""Fixtures: real photos, and one finished run of the pipeline on few small images."""

from pathlib import Path

import stages  # noqa: F401, before numpy: makes the numerics of all tests deterministic

# isort: split
import pytest

from tests.repo_copy import FISHER, TINY, RepoCopy, make_once

REAL_ZIP = Path(__file__).parents[2] / "shared" / "real-flowers.zip"


@pytest.fixture(scope="session")
def real_zip():
    """Path of an archive of real photos, one folder per class."""
    if not REAL_ZIP.is_file():
        pytest.skip(f"no real photos at {REAL_ZIP}")
    return REAL_ZIP


@pytest.fixture(scope="session")
def fresh_repo(tmp_path_factory):
    """The pipeline before its first run, with parameters for few small images; read-only."""

    def make(folder):
        repo = RepoCopy.create(folder)
        repo.set_params(**TINY)
        repo.commit("tiny")

    return RepoCopy(make_once(tmp_path_factory, "fresh_repo", make))


@pytest.fixture(scope="session")
def finished_run(fresh_repo, tmp_path_factory):
    """The pipeline after one run; read-only, tests change a `repo_copy`.

    Its stages run in this process, since 14 starts of Python take three times as long as the work;
    a slow test checks that ``dvc repro`` gives the same bits.
    """

    def make(folder):
        repo = fresh_repo.copy_to(folder)
        repo.run_all_stages()
        repo.commit("run")
        repo.run("git", "gc", "--quiet")  # a tenth of the files for each copy

    return RepoCopy(make_once(tmp_path_factory, "finished_run", make))


@pytest.fixture(scope="session")
def fisher_run(finished_run, tmp_path_factory):
    """The finished run with Fisher features and a linear SVM, up to the candidate; slow."""

    def make(folder):
        repo = finished_run.copy_to(folder)
        repo.set_params(**FISHER)
        repo.run("dvc", "repro", "promote")
        repo.commit("fisher")

    return RepoCopy(make_once(tmp_path_factory, "fisher_run", make))


@pytest.fixture
def repo_copy(finished_run, tmp_path):
    """A copy of the finished run."""
    return finished_run.copy_to(tmp_path / "repository")


@pytest.fixture
def workdir(finished_run, tmp_path):
    """The files of the finished run without git, DVC and code, for stages run in this process."""
    return finished_run.copy_workdir(tmp_path / "repository")
