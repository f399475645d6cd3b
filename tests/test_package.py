"""The package that pip installs, and the site of the documentation."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.imports import ROOT


def list_tracked(*folders):
    done = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Path of a wheel that pip builds from a copy of the repository, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("flowers", "scoring"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    (folder / "source/stages").mkdir()
    (folder / "source/stages/__init__.py").touch()
    command = (
        "-m pip wheel --quiet --disable-pip-version-check --no-index --no-deps "
        "--no-build-isolation --wheel-dir"
    )
    arguments = [*command.split(), str(folder), str(folder / "source")]
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_a_wheel_has_every_file_of_its_packages_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert sorted(names) == sorted(list_tracked("flowers", "scoring"))


@pytest.mark.slow
def test_the_installed_package_has_a_command_and_loads_models_from_anywhere(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (entry,) = (tmp_path / "installed").glob("*.dist-info/entry_points.txt")
    assert "flowers = scoring.cli:main" in entry.read_text()
    code = (
        "import sys; sys.path.insert(0, 'installed'); from flowers.model import load_predictor; "
        "print(load_predictor.__module__, sys.modules['flowers.model'].__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    module, path = done.stdout.split()
    assert module == "flowers.model.folder"
    assert Path(path).is_relative_to(tmp_path / "installed")
