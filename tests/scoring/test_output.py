"""Demands on what a command prints: where it cannot go, one line says so, or nothing."""

import subprocess
import sys

import pytest

from tests.imports import ROOT

COMMAND = """
import sys
from scoring.output import run_command
sys.exit(run_command("it", lambda: print("x") or 1))
"""


def ended(redirection, command=("-c", COMMAND)):
    """A command whose standard output a shell redirects."""
    shell = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, *command]
    return subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("redirection", "code", "lines"),
    [("", 1, 0), (">&-", 1, 0), ("2>&-", 1, 0), (">/dev/full", 2, 1)],
)
def test_a_closed_output_is_nothing_and_a_full_one_is_a_line(redirection, code, lines):
    done = ended(redirection)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, lines), done.stderr


@pytest.mark.parametrize("command", ["scoring.predict", "scoring.registry"])
def test_commands_are_told_so(command):
    done = ended(">&-", ("-m", command, *(["x"] if command == "scoring.predict" else ["history"])))
    assert "Traceback" not in done.stderr
    done = ended(">/dev/full", ("-m", "scoring.registry", "history"))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
