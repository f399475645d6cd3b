"""Ctrl-C, and two runs at a time: one line each, in the real make, DVC and stages."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.imports import ROOT

# Of make itself, also of one that runs these tests.
MAKE = re.compile(r"make(\[\d+\])?: ")
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))
# A stage that waits at a moment of its work or of its start, named by a file; then Ctrl-C comes.
WAITING = """
import pathlib, time
def wait(name):
    pathlib.Path(name).touch()
    time.sleep(60)
"""


def started(repo_copy, *command, **environment):
    """A command in a process group of its own, as a terminal starts it."""
    env = (
        os.environ
        | environment
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
        }
    )
    return subprocess.Popen(
        command,
        cwd=repo_copy.path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever runs the tests behind its back ignores Ctrl-C, and so would what they start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def until(path, process):
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def interrupted(process):
    """Standard error of a command after Ctrl-C in its terminal, and its exit code."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=300)
    return said.splitlines(), process.returncode


@pytest.fixture
def slow(fresh_repo, tmp_path):
    """A new repository whose first stage waits."""
    repo_copy = fresh_repo.copy_to(tmp_path / "repository")
    shutil.copy(ROOT / "Makefile", repo_copy.path)
    (repo_copy.path / "flowers/waiting.py").write_text(WAITING)
    stage = repo_copy.path / "stages/fetch.py"
    text = stage.read_text()
    assert "def main(params):\n" in text
    text = text.replace(
        "def main(params):\n",
        "def main(params):\n    from flowers.waiting import wait; wait('waits')\n",
    )
    stage.write_text(text)
    return repo_copy


def test_in_a_stage_at_work_it_is_one_line_and_130(slow):
    process = started(slow, "python", "-m", "stages.fetch")
    until(slow.path / "waits", process)
    lines, code = interrupted(process)
    assert (len(lines), code) == (1, 130) and lines[0].startswith("fetch: ")


@pytest.mark.parametrize("stage", STAGES)
def test_in_a_stage_that_starts_it_is_one_line_and_130(finished_run, tmp_path, stage):
    # Every stage imports numpy, or what does.
    (tmp_path / "numpy.py").write_text(f"{WAITING}\nwait({str(tmp_path / 'waits')!r})\n")
    process = started(finished_run, "python", "-m", f"stages.{stage}", PYTHONPATH=str(tmp_path))
    until(tmp_path / "waits", process)
    lines, code = interrupted(process)
    assert (len(lines), code) == (1, 130)


def of_session(process):
    """What runs in the session that a process began, as ps tells."""
    listed = subprocess.run(["ps", "-A", "-o", "sess=,stat=,args="], capture_output=True, text=True)
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    own = str(process.pid)
    return [args for session, state, *args in lines if session == own and state[0] != "Z"]


# Where a worker waits: as soon as it is a Python, or with its first photo.
AT_START = """
import sys
told = " ".join(sys.orig_argv)
if ("loky" in told or "spawn_main" in told) and "resource_tracker" not in told:
    import waiting
"""
AT_WORK = "    import waiting\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend, at_start",
    [("loky", True), ("loky", False), ("dask", True), ("dask", False), ("ray", False)],
)
def test_with_worker_processes_it_is_one_line_and_they_end(
    finished_run, tmp_path, backend, at_start
):
    if backend != "loky" and not find_spec("distributed" if backend == "dask" else backend):
        pytest.skip(f"{backend} is not installed: pip install '.[cluster]'")
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    (tmp_path / "waiting.py").write_text(f"{WAITING}\nwait({str(tmp_path / 'waits')!r})\n")
    if at_start:
        (tmp_path / "sitecustomize.py").write_text(AT_START)
    else:
        room = repo_copy.path / "flowers/photos/index.py"
        line = "    data = path.read_bytes()\n"
        assert line in room.read_text()
        room.write_text(room.read_text().replace(line, AT_WORK + line))
    variables = {"BACKEND": backend, "JOBS": "2", "PYTHONPATH": str(tmp_path)}
    process = started(repo_copy, "python", "-m", "stages.resize", **variables)
    until(tmp_path / "waits", process)
    lines, code = interrupted(process)
    told = lines[-1:] if backend == "ray" else lines  # Ray tells of itself at its start
    assert (told, code) == (["resize: interrupted; the same command goes on from here"], 130)
    end = time.monotonic() + 60
    while left := of_session(process):
        assert time.monotonic() < end, left
        time.sleep(0.1)
    assert not list((repo_copy.path / "data").glob("arrays-*"))


def test_in_make_repro_it_is_one_line_beside_that_of_make(slow):
    process = started(slow, "make", "-o", "env", "repro")
    until(slow.path / "waits", process)
    lines, code = interrupted(process)
    assert [line for line in lines if not MAKE.match(line)] == [
        "fetch: interrupted; the same command goes on from here"
    ]
    assert code in (130, -signal.SIGINT)


def test_a_second_run_says_at_once_that_there_is_one(slow):
    first = started(slow, "make", "-o", "env", "repro")
    until(slow.path / "waits", first)
    second = slow.run("make", "-o", "env", "repro", check=False)
    told = [line for line in second.stderr.splitlines() if not MAKE.match(line)]
    assert len(told) == 1 and told[0].startswith("repro: another run is at work in ")
    assert second.returncode != 0 and "Running stage" not in second.stdout
    assert first.poll() is None
    interrupted(first)


@pytest.mark.slow
def test_what_was_interrupted_ends_with_the_bits_of_a_run_that_was_not(slow, finished_run):
    process = started(slow, "make", "-o", "env", "repro")
    until(slow.path / "waits", process)
    interrupted(process)
    shutil.copy(ROOT / "stages/fetch.py", slow.path / "stages")
    (slow.path / "flowers/waiting.py").unlink()
    slow.run("make", "-o", "env", "repro")
    assert (slow.path / "dvc.lock").read_text() == (finished_run.path / "dvc.lock").read_text()
