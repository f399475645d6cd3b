"""The rules of the house that a reader relies on."""

import ast
import subprocess

import pytest

from tests.imports import ROOT, imported_modules

MAY_IMPORT = {
    "flowers": {"flowers"},
    "stages": {"flowers", "stages"},
    "scoring": {"flowers", "scoring"},
}


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def python_files(room=""):
    return sorted(
        (ROOT / room).rglob("*.py") if room else (p for p in tracked() if p.suffix == ".py")
    )


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_point_at_the_library(room):
    for path in python_files(room):
        rooms = {name.split(".")[0] for name in imported_modules(path.relative_to(ROOT))}
        assert rooms <= MAY_IMPORT[room], path


def test_the_library_knows_no_path_of_the_pipeline():
    for path in python_files("flowers"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(("data/", "models/", "metrics/", "plots/")), path
                assert node.value != "params.yaml", path


def test_no_file_is_longer_than_a_reader_stands():
    for path in python_files():
        assert len(path.read_text().splitlines()) <= 250, path


def test_public_functions_of_the_library_say_what_they_do():
    for path in python_files("flowers"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
                assert ast.get_docstring(node), f"{path}: {node.name}"


def test_every_module_says_what_it_is_for():
    for room in ("flowers", "stages", "scoring", "benchmarks"):
        for path in python_files(room):
            text = path.read_text()
            assert not text or ast.get_docstring(ast.parse(text)), path


def test_nothing_large_is_in_git():
    for path in tracked():
        assert path.stat().st_size < 600_000, path
