"""Ctrl-C and two runs at a time, in the real make, DVC and stages."""

import os
import re
import shutil
import signal
import subprocess
import time
from functools import partial

import pytest

from tests.imports import ROOT

MAKE = re.compile(r"make(\[\d+\])?: ")
# Code that announces itself by a file and waits until Ctrl-C comes.
WAITING = """
import pathlib, time
def wait(name):
    pathlib.Path(name).touch()
    time.sleep(60)
"""


def start(repo, *command, **environment):
    """Start a command in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        command,
        cwd=repo.path,
        env=repo.get_environment() | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that run in the background ignore Ctrl-C, and so would the processes they start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def interrupt(process):
    """Send Ctrl-C to the process group; lines of standard error without make's, and exit code."""
    os.killpg(process.pid, signal.SIGINT)
    _, text = process.communicate(timeout=300)
    return [line for line in text.splitlines() if not MAKE.match(line)], process.returncode


@pytest.fixture
def waiting_repo(fresh_repo, tmp_path):
    """A new repository whose first stage waits."""
    repo = fresh_repo.copy_to(tmp_path / "repository")
    shutil.copy(ROOT / "Makefile", repo.path)
    (repo.path / "flowers/base/waiting.py").write_text(WAITING)
    stage = repo.path / "stages/fetch.py"
    begin = "def main(params):\n"
    text = stage.read_text()
    assert begin in text
    work = begin + "    from flowers.base.waiting import wait; wait('waits')\n"
    stage.write_text(text.replace(begin, work))
    return repo


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("stages.split", "split"),
        ("scoring drift", "flowers drift"),
        ("scoring.registry status", "scoring.registry"),
    ],
)
def test_a_command_that_still_imports_exits_with_one_line_and_130(
    finished_run, tmp_path, command, name
):
    (tmp_path / "numpy.py").write_text(f"{WAITING}\nwait({str(tmp_path / 'waits')!r})\n")
    process = start(finished_run, "python", "-m", *command.split(), PYTHONPATH=str(tmp_path))
    wait_for(tmp_path / "waits", process)
    assert interrupt(process) == ([f"{name}: interrupted"], 130)


def list_session(process):
    """Commands that run in the session that a process began."""
    listed = subprocess.run(["ps", "-A", "-o", "sess=,stat=,args="], capture_output=True, text=True)
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    session = str(process.pid)
    return [args for leader, state, *args in lines if leader == session and state[0] != "Z"]


@pytest.mark.slow
def test_worker_processes_end_with_the_stage(repo_copy, tmp_path):
    (tmp_path / "waiting.py").write_text(f"{WAITING}\nwait({str(tmp_path / 'waits')!r})\n")
    module = repo_copy.path / "flowers/images/index.py"
    line = "    data = path.read_bytes()\n"
    assert line in module.read_text()
    module.write_text(module.read_text().replace(line, f"    import waiting\n{line}"))
    variables = {"BACKEND": "loky", "JOBS": "2", "PYTHONPATH": str(tmp_path)}
    process = start(repo_copy, "python", "-m", "stages.resize", **variables)
    wait_for(tmp_path / "waits", process)
    lines, code = interrupt(process)
    assert "resize: interrupted" in lines and code == 130  # a library may print more
    end = time.monotonic() + 60
    while left := list_session(process):
        assert time.monotonic() < end, left
        time.sleep(0.1)
    assert not list((repo_copy.path / "data").glob("arrays-*"))


def test_a_second_run_is_refused_and_an_interrupted_one_prints_two_lines(waiting_repo):
    first = start(waiting_repo, "make", "-o", "env", "repro")
    wait_for(waiting_repo.path / "waits", first)
    second = waiting_repo.run("make", "-o", "env", "repro", check=False)
    (line,) = [line for line in second.stderr.splitlines() if not MAKE.match(line)]
    assert line.startswith("repro: another run is active in ")
    assert second.returncode != 0 and "Running stage" not in second.stdout
    assert first.poll() is None
    (stage, error), code = interrupt(first)
    assert stage == "fetch: interrupted"
    # The shell between DVC and the stage exits with 130 or dies of the same signal.
    assert error.startswith("ERROR: failed to reproduce 'fetch'")
    assert code != 0


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_bits(waiting_repo, finished_run):
    process = start(waiting_repo, "make", "-o", "env", "repro")
    wait_for(waiting_repo.path / "waits", process)
    interrupt(process)
    shutil.copy(ROOT / "stages/fetch.py", waiting_repo.path / "stages")
    (waiting_repo.path / "flowers/base/waiting.py").unlink()
    waiting_repo.run("make", "-o", "env", "repro")
    lock = (waiting_repo.path / "dvc.lock").read_text()
    assert lock == (finished_run.path / "dvc.lock").read_text()
