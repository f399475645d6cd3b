"""Copies of repositories that are made once per test run."""

import contextlib
from functools import partial

import pytest

from scoring.registry import checks
from scoring.registry.__main__ import main
from tests.repo_copy import copy_folder, make_once
from tests.scoring.registry.registry_repository import enter_repository, make_run, make_runs


@pytest.fixture(scope="session")
def run(tmp_path_factory, finished_run):
    """A finished run on the branch "run"."""
    return make_once(tmp_path_factory, "run", partial(make_run, finished_run))


@pytest.fixture(scope="session")
def runs(tmp_path_factory, finished_run):
    """Two more finished runs on the branches "svm" and "nb", the second one checked out."""
    return make_once(tmp_path_factory, "runs", partial(make_runs, finished_run))


@pytest.fixture(scope="session")
def served(tmp_path_factory, run):
    """The finished run, promoted as v1.0.0 and fetched."""

    def make(folder):
        copy_folder(run, folder)
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(None):
            enter_repository(folder, patch)
            assert main(["promote"]) == main(["fetch"]) == 0

    return make_once(tmp_path_factory, "served", make)


@pytest.fixture
def lock_matches(request, monkeypatch):
    """The check of dvc.lock passes, for which DVC takes a second; not in a slow test."""
    if not request.node.get_closest_marker("slow"):
        monkeypatch.setattr(checks, "check_lock", lambda _: "not checked in this test")


def copy_repository(folder, tmp_path, patch):
    copy_folder(folder, tmp_path / "repo")
    enter_repository(tmp_path / "repo", patch)
    return tmp_path / "repo"


@pytest.fixture
def repo(run, tmp_path, monkeypatch):
    """A copy of `run` as the working folder."""
    return copy_repository(run, tmp_path, monkeypatch)


@pytest.fixture
def promoted(served, tmp_path, monkeypatch):
    """A copy of `served` as the working folder."""
    return copy_repository(served, tmp_path, monkeypatch)


@pytest.fixture
def both(runs, tmp_path, monkeypatch):
    """A copy of `runs` as the working folder; slow to make."""
    return copy_repository(runs, tmp_path, monkeypatch)
