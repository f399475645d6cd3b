"""The Makefile: every target is listed with an example that make accepts."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.imports import ROOT

TEXT = (ROOT / "Makefile").read_text()
TARGETS = set(re.search(r"^\.PHONY: (.*)$", TEXT, re.M)[1].split())
HELP = subprocess.run(
    ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout


def test_help_lists_every_target_once_and_fits_a_terminal():
    listed = re.findall(r"^make ([a-z-]+)", HELP, re.M)
    assert sorted(listed) == sorted(TARGETS)
    assert max(map(len, HELP.splitlines())) <= 100


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_the_example_of_a_target_is_a_valid_call(target):
    (line,) = re.findall(rf"^(make {target}(?: [A-Z_]+=(?:\".*?\"|\S+))*) +\w", HELP, re.M)
    command = [*shlex.split(line), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("value", "code"), [("1", 0), ("0", 0), ("", 0), ("yes", 2)])
def test_an_alert_is_acknowledged_by_1_and_other_values_are_refused(value, code):
    command = ["make", "--dry-run", "-o", "env", "drift", f"ACKNOWLEDGE={value}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("drift --acknowledge" in done.stdout) == (value == "1")
    assert code == 0 or f"ACKNOWLEDGE={value}: set it to 1" in done.stderr


def test_an_environment_behind_a_link_is_not_emptied(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/pyvenv.cfg").touch()
    (tmp_path / ".venv").symlink_to("shared")
    (tmp_path / "requirements.lock").touch()
    command = ["make", "-f", str(ROOT / "Makefile"), "env"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and ".venv is a link" in done.stderr
    assert (tmp_path / "shared/pyvenv.cfg").exists()


def test_the_environment_is_built_from_the_lock_alone():
    """pip refuses a second package without a wheel, and builds the one with the locked setuptools.

    A wheel that pip built itself has its name in the cache of pip only, so `make env` has the list.
    """
    (line,) = re.findall(r"^SOURCES := (.*)$", TEXT, re.M)
    assert line.split() == ["antlr4-python3-runtime"]
    install = re.findall(r"^\t\$\(PIP\) (.*)$", TEXT, re.M)
    assert install == [
        "-r .venv/build.lock",
        "--no-build-isolation --only-binary :all: --no-binary $(SOURCES) -r requirements.lock",
    ]
    assert "--require-hashes" in TEXT.partition("PIP := ")[2].splitlines()[0]
    (program,) = re.findall(r"^\tawk '(.*)' requirements.lock > .venv/build.lock$", TEXT, re.M)
    block = subprocess.run(
        ["awk", program, "requirements.lock"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^(\S+)==", block, re.M) == ["setuptools"] and "--hash=sha256:" in block


def test_a_folder_without_git_is_one_line(tmp_path):
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        ["make", "repro"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
    )
    first, _ = done.stderr.splitlines()
    assert done.returncode == 2 and "git init" in first
    assert not (tmp_path / ".venv").exists()


def test_on_windows_each_command_is_one_line():
    done = subprocess.run(
        ["make", "repro", "OS=Windows_NT"], cwd=ROOT, capture_output=True, text=True
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "WSL" in line
    code = "import sys; sys.platform = 'win32'; import {}"
    for module in ("scoring.predict", "stages.support.run"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(module)], cwd=ROOT, capture_output=True, text=True
        )
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1 and "WSL" in line
