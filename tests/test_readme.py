"""README.md says what is so."""

import re
import shlex
import shutil
import subprocess
import zipfile

import pytest

from tests.imports import ROOT

TEXT = (ROOT / "README.md").read_text()
PLACES = {page.name: page for page in sorted((ROOT / "docs").rglob("*.md"))}
PLACES |= {name: ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md")}
PAGES = {name: page.read_text() for name, page in PLACES.items()}
SHELL = [
    line
    for text in (TEXT, *PAGES.values())
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines()
]


def test_every_picture_and_file_it_names_is_there():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    named = re.findall(r"`([\w./-]+\.(?:yaml|json|csv|cff|md|lock))`", TEXT)
    written_by_a_run = ("dvc_plots", "models/")
    for path in [*pictures, *named]:
        assert (ROOT / path).exists() or path.startswith(written_by_a_run), path


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_is_there(name):
    named = re.findall(
        r"`((?:flowers|stages|scoring|tests|benchmarks|docker)/[\w./-]+)`", PAGES[name]
    )
    folder = PLACES[name].parent
    linked = re.findall(r"\]\((?!http)(.*?)\)", PAGES[name])
    for path in [*(ROOT / name for name in named), *(folder / name for name in linked)]:
        assert path.exists(), path


def test_it_is_short_enough_to_read():
    # What commands print and tables of results may grow.
    own = re.sub(r"<!-- (\w+):begin -->.*?<!-- \1:end -->", "", TEXT, flags=re.DOTALL)
    assert len(own.splitlines()) <= 130


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_its_make_targets_exist(line):
    command = [*shlex.split(line, comments=True), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_its_dvc_commands_run_in_the_order_given(finished_run, tmp_path):
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    # What a reader brings along: photos in a folder and in an archive.
    photos = repo_copy.path / "photos"
    shutil.copytree(repo_copy.path / "data/photos", photos)
    with zipfile.ZipFile(repo_copy.path / "photos.zip", "w") as file:
        for path in sorted(photos.glob("*/*")):
            file.write(path, path.relative_to(repo_copy.path))
    shutil.copy(ROOT / "Makefile", repo_copy.path)
    runnable = ("dvc ", "git ", "python ", "make store ")
    # The environment is the one that runs the tests.
    commands = [
        line.replace("make ", "make -o env ") for line in SHELL if line.startswith(runnable)
    ]
    assert len(commands) >= 7
    for command in commands:
        repo_copy.run("bash", "-c", command)
