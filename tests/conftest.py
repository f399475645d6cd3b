"""Real photos for the tests that cannot do with drawn ones, and one finished tiny run."""

import zipfile
from pathlib import Path

import stages  # noqa: F401, first: its pins hold for the numpy of all tests

# isort: split
import numpy as np
import pytest

from flowers.images.decoding import load_pixels
from tests.workshop import LEARNED, TINY, Workshop, shared

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
def unrun(tmp_path_factory):
    """The pipeline before its first run on tiny drawn photos, to be copied."""

    def make(folder):
        made = Workshop.made(folder)
        made.set(**TINY)
        made.commit("tiny")

    return Workshop(shared(tmp_path_factory, "unrun", make))


@pytest.fixture(scope="session")
def finished(unrun, tmp_path_factory):
    """The pipeline, run once on tiny drawn photos. Read this one; change a `shop`.

    Its stages run in this process, as 14 starts of Python take three times as long as their work;
    slow tests demand the same bits of ``dvc repro`` in a clone.
    """

    def make(folder):
        made = unrun.copied(folder)
        made.all_stages()
        made.commit("run")
        made.run("git", "gc", "--quiet")  # a tenth of the files for each copy

    return Workshop(shared(tmp_path_factory, "finished", make))


@pytest.fixture(scope="session")
def learned(finished, tmp_path_factory):
    """The same, with features that learn and a machine for them, up to the candidate; slow."""

    def make(folder):
        made = finished.copied(folder)
        made.set(**LEARNED)
        made.run("dvc", "repro", "promote")
        made.commit("features that learn")

    return Workshop(shared(tmp_path_factory, "learned", make))


@pytest.fixture
def shop(finished, tmp_path):
    """A copy of the finished run to change at will."""
    return finished.copied(tmp_path / "repository")


@pytest.fixture
def desk(finished, tmp_path):
    """The same without git, DVC and code, for the stages that a test runs in its own process."""
    return finished.desk(tmp_path / "repository")
