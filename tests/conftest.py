"""Real photos for the tests that cannot do with drawn ones, and one finished tiny run."""

import zipfile
from pathlib import Path

import stages  # noqa: F401, first: its pins hold for the numpy of all tests

# isort: split
import numpy as np
import pytest

from flowers.images.decoding import load_pixels
from tests.repo_copy import FISHER, TINY, RepoCopy, make_once

REAL_ZIP = Path(__file__).parents[2] / "shared" / "real-flowers.zip"


@pytest.fixture(scope="session")
def real_zip():
    """The path of an archive of real photos, one folder per class."""
    if not REAL_ZIP.is_file():
        pytest.skip(f"no real photos at {REAL_ZIP}")
    return REAL_ZIP


@pytest.fixture(scope="session")
def real_photos(real_zip):
    """128 photos from all over the archive, (128, 128, 128, 3) uint8, and their labels."""
    with zipfile.ZipFile(real_zip) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        names = [names[i] for i in np.linspace(0, len(names) - 1, 128).astype(int)]
        images = np.stack([load_pixels(archive.read(name))[0] for name in names])
    return images, np.array([Path(name).parent.name for name in names])


@pytest.fixture(scope="session")
def fresh_repo(tmp_path_factory):
    """The pipeline before its first run on tiny drawn photos, to be copied."""

    def make(folder):
        made = RepoCopy.create(folder)
        made.set_params(**TINY)
        made.commit("tiny")

    return RepoCopy(make_once(tmp_path_factory, "fresh_repo", make))


@pytest.fixture(scope="session")
def finished_run(fresh_repo, tmp_path_factory):
    """The pipeline, run once on tiny drawn photos. Read this one; change a `repo_copy`.

    Its stages run in this process, as 14 starts of Python take three times as long as their work;
    slow tests demand the same bits of ``dvc repro`` in a clone.
    """

    def make(folder):
        made = fresh_repo.copy_to(folder)
        made.run_all_stages()
        made.commit("run")
        made.run("git", "gc", "--quiet")  # a tenth of the files for each copy

    return RepoCopy(make_once(tmp_path_factory, "finished_run", make))


@pytest.fixture(scope="session")
def fisher_run(finished_run, tmp_path_factory):
    """The same, with features that learn and a machine for them, up to the candidate; slow."""

    def make(folder):
        made = finished_run.copy_to(folder)
        made.set_params(**FISHER)
        made.run("dvc", "repro", "promote")
        made.commit("features that learn")

    return RepoCopy(make_once(tmp_path_factory, "fisher_run", make))


@pytest.fixture
def repo_copy(finished_run, tmp_path):
    """A copy of the finished run to change at will."""
    return finished_run.copy_to(tmp_path / "repository")


@pytest.fixture
def workdir(finished_run, tmp_path):
    """The same without git, DVC and code, for the stages that a test runs in its own process."""
    return finished_run.copy_workdir(tmp_path / "repository")
