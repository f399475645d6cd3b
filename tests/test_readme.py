"""README.md and the pages: files, names and commands exist, and the commands run."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import zipfile

import pytest
import yaml

from tests.imports import ROOT

TEXT = (ROOT / "README.md").read_text()
PLACES = {page.name: page for page in sorted((ROOT / "docs").rglob("*.md"))}
PLACES |= {name: ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md")}
PAGES = {name: page.read_text() for name, page in PLACES.items()}
CODE = ("flowers", "scoring", "stages", "study", "benchmarks", "tests")
SHELL = [
    line
    for text in (TEXT, *PAGES.values())
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines()
]


def test_pictures_and_files_of_the_readme_exist():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", TEXT)
    named = re.findall(r"`([\w./-]+\.(?:yaml|json|csv|cff|md|lock))`", TEXT)
    written_by_a_run = ("dvc_plots", "models/")
    for path in [*pictures, *named]:
        assert (ROOT / path).exists() or path.startswith(written_by_a_run), path


def list_names():
    """Functions, classes, constants, parameters, stages and packages of the project."""
    names = {
        name
        for folder in CODE
        for path in (ROOT / folder).rglob("[!.]*")
        for name in (path.stem, path.name)
    }
    for path in [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for section, values in yaml.safe_load((ROOT / "params.yaml").read_text()).items():
        names |= {section, *values}
    return names | set(json.loads((ROOT / "params.schema.json").read_text()))


def test_every_path_and_name_in_the_architecture_exists():
    names = list_names()
    declared = (ROOT / "dvc.yaml").read_text()
    for text in re.findall(r"`([^`\s]+)`", PAGES["ARCHITECTURE.md"]):
        path = text.replace("<name>", "*")
        if "/" in text or (ROOT / text).exists():
            assert any(ROOT.glob(path)) or re.search(path.replace("*", r"\w+"), declared), text
        else:
            assert text in names or names >= set(text.split(".")), text


def list_anchors(path):
    """Anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_files_and_anchors_that_a_page_names_exist(name):
    folders = "flowers|stages|scoring|tests|benchmarks|docker"
    for path in re.findall(rf"`((?:{folders})/[\w./-]+)`", PAGES[name]):
        assert (ROOT / path).exists(), path
    for path, _, anchor in re.findall(r"\]\((?!http)([^)#]*)(#([^)]*))?\)", PAGES[name]):
        target = PLACES[name].parent / path if path else PLACES[name]
        assert target.exists(), path
        assert not anchor or anchor in list_anchors(target), anchor


def test_the_readme_is_short():
    assert len(TEXT.splitlines()) <= 180


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_make_targets_exist(line):
    command = [*shlex.split(line, comments=True), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_commands_run_in_the_order_of_the_readme(finished_run, tmp_path):
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    # The photos of the reader, in a folder and in an archive.
    photos = repo_copy.path / "photos"
    shutil.copytree(repo_copy.path / "data/photos", photos)
    with zipfile.ZipFile(repo_copy.path / "photos.zip", "w") as file:
        for path in sorted(photos.glob("*/*")):
            file.write(path, path.relative_to(repo_copy.path))
    shutil.copy(ROOT / "Makefile", repo_copy.path)
    repo_copy.run("git", "init", "--quiet", "--bare", str(tmp_path / "remote"))
    repo_copy.run("git", "remote", "add", "origin", str(tmp_path / "remote"))
    runnable = ("dvc ", "git ", "python ", "make exp NAME=pixels", "make store ")
    # The environment is the one that runs the tests.
    commands = [
        line.replace("make ", "make -o env ")
        for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
        for line in block.splitlines()
        if line.startswith(runnable)
    ]
    # The copy has no study/, so DVC runs an experiment of that name.
    commands = [
        "dvc exp run --name pixels -S train_svm.C=0.5" if "exp NAME=pixels" in line else line
        for line in commands
    ]
    assert len(commands) >= 6
    for command in commands:
        repo_copy.run("bash", "-c", command)
