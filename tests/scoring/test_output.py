"""Output that cannot be written is one line on standard error, or none."""

import subprocess
import sys

import pytest

from tests.imports import ROOT

SCRIPT = """
import signal, sys
from scoring.output import run_command
sys.exit(run_command("it", lambda: print("x") or {}))
"""
WORKERS = """
import sys
from flowers.base.parallel import pooled_map
from scoring.output import run_command
def main():
    for number in pooled_map(str, range(1000), 2, "threading"):
        print(number, flush=True)
sys.exit(run_command("it", main))
"""
INTERRUPT = "signal.raise_signal(signal.SIGINT)"


def run_redirected(redirection, *arguments):
    """Run Python with its output redirected by a shell."""
    shell = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, *arguments]
    return subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("redirection", "code", "lines"),
    [("", 1, 0), (">&-", 1, 0), ("2>&-", 1, 0), (">/dev/full", 2, 1)],
)
def test_a_closed_output_is_ignored_and_a_full_one_is_one_line(redirection, code, lines):
    process = run_redirected(redirection, "-c", SCRIPT.format(1))
    assert (process.returncode, len(process.stderr.splitlines())) == (code, lines)


def test_unread_results_of_workers_cause_no_warning():
    process = run_redirected("| head -n 1", "-c", WORKERS)
    assert (process.stdout, process.stderr) == ("0\n", "")


@pytest.mark.slow
def test_commands_write_no_traceback():
    assert "Traceback" not in run_redirected(">&-", "-m", "scoring.predict", "x").stderr
    unread = run_redirected("| true", "-m", "study.compare", "HEAD", "workspace")
    assert unread.stderr == ""
    process = run_redirected(">/dev/full", "-m", "scoring.registry", "history")
    assert process.returncode == 2 and len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "script", [SCRIPT, "import signal, study\n{}", "import signal, benchmarks\n{}"]
)
def test_ctrl_c_is_one_line_and_exit_code_130(script):
    process = run_redirected("", "-c", script.format(INTERRUPT))
    (line,) = process.stderr.splitlines()
    assert process.returncode == 130 and line.endswith(": interrupted")
