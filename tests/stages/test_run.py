"""What all stages share: checks of parameters, errors in one line, and few imports."""

import contextlib
import errno
import os
import re
import subprocess
import sys
import termios
from concurrent.futures import BrokenExecutor

import pytest
import yaml

from flowers.base.errors import BadInput
from stages.support.repro import record_numerics
from stages.support.run import read_yaml, run_stage
from tests.imports import ROOT


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"study.name": "rusty bolts"}, ("study.name", "rusty bolts", "a-z", "rusty-bolts")),
        ({"study.noun": "a\n"}, ("study.noun", "one line")),
        ({"train_svm.C": -1}, ("train_svm.C", "-1")),
        ({"train_svm.C": [1.0, float("nan")]}, ("train_svm.C", "nan")),
        ({"train_svm.C": True}, ("train_svm.C", "True", "1000000", "list")),
        ({"train_svm.folds": 5.0}, ("train_svm.folds", "5.0", "integer")),
        ({"train_svm.solver": "sgd"}, ("train_svm.kernel", "rbf", "linear", "sgd")),
        ({"train_svm.C": [1.0, 2.0], "train_svm.folds": 2}, ("train_svm.folds", "2", "list", "3")),
        ({"flatten.features": ["hog", "hog"]}, ("flatten.features", "hog")),
        ({"codebook.words": 0}, ("codebook.words", "0")),
        ({"resize.size": 100}, ("resize.size", "100", "16")),
        ({"split.strategy": "radnom"}, ("split.strategy", "radnom", "grouped")),
    ],
)
def test_a_faulty_parameter_of_any_stage_stops_the_first_one_with_key_value_and_range(
    workdir, params, words
):
    photos = sorted((workdir.path / "data/photos").rglob("*"))
    line = workdir.expect_refusal("fetch", **params)
    assert all(word in line for word in words), line
    assert sorted((workdir.path / "data/photos").rglob("*")) == photos


def test_an_unknown_parameter_is_refused_by_name(workdir):
    path = workdir.path / "params.yaml"
    path.write_text(path.read_text().replace("  path:", "  colour: red\n  path:"))
    line = workdir.expect_refusal("fetch")
    assert "fetch: " in line and "colour" in line


def test_a_stage_that_stops_prints_one_line_and_exits_with_1(repo_copy):
    repo_copy.set_params(**{"train_svm.C": -1})
    done = repo_copy.run("python", "-m", "stages.fetch", check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("fetch: ") and "train_svm.C" in line


def test_a_stage_refuses_other_numerics_than_make_repro_recorded(workdir, monkeypatch):
    (workdir.path / "stages/support").mkdir(parents=True)
    for name, other in (("native", "pinned"), ("pinned", "native")):
        monkeypatch.setenv("NUMERICS", name)
        line = workdir.expect_refusal("report")
        assert f"NUMERICS={name}, but the last make repro had {other}" in line
        assert f"make repro NUMERICS={name}" in line
        with contextlib.chdir(workdir.path):
            record_numerics()
        workdir.run_stage("report")


def test_a_stage_run_by_hand_says_that_dvc_does_not_know(workdir, monkeypatch, capsys):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    workdir.run_stage("report")
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == 1
    (line,) = output.err.splitlines()
    assert "DVC" in line and "dvc repro report" in line
    monkeypatch.setenv("DVC_STAGE", "report")
    workdir.run_stage("report")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_stage_of_dvc_shows_its_progress_and_the_time_left_on_a_terminal(repo_copy):
    (repo_copy.path / "slow.py").write_text(
        "import time\nfrom stages.support.files import show_progress\n"
        "for _ in show_progress(range(40), desc='slow'): time.sleep(0.05)\n"
    )
    (repo_copy.path / "dvc.yaml").write_text("stages: {fetch: {cmd: python slow.py}}\n")
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    command = ["python", "-m", "stages.support.repro"]
    env = repo_copy.get_environment()
    with subprocess.Popen(command, cwd=repo_copy.path, env=env, stdout=follower, stderr=follower):
        os.close(follower)
        output = b""
        with contextlib.suppress(OSError):  # the end of a terminal on Linux
            while part := os.read(leader, 4096):
                output += part
    os.close(leader)
    assert re.search(rb"slow: +\d+%.*<00:0\d", output), output


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "photos/a.jpg"), "'photos/a.jpg'"),
        (OSError(errno.ENOSPC, "No space left on device", "data/x.npy"), "No space left"),
        (MemoryError("Unable to allocate 9. TiB"), "9. TiB"),
        (BrokenExecutor("terminated"), "JOBS"),
    ],
)
def test_an_error_of_the_operating_system_is_one_line(workdir, error, words):
    def main(_):
        raise error

    with contextlib.chdir(workdir.path), pytest.raises(SystemExit) as stopped:
        run_stage("split", main)
    (line,) = stopped.value.code.splitlines()
    assert line.startswith("split: ") and words in line


def test_an_undeclared_parameter_is_not_available(repo_copy):
    text = (repo_copy.path / "dvc.yaml").read_text()
    (repo_copy.path / "dvc.yaml").write_text(
        text.replace("params: [split]", "params: [split.strategy, split.test_size]")
    )
    with pytest.raises(KeyError):
        repo_copy.run_stage("split")


def test_params_are_read_as_yaml_1_2(tmp_path):
    (tmp_path / "params.yaml").write_text("train_nb: {var_smoothing: 1e-9, calibration: on}\n")
    params = read_yaml(tmp_path / "params.yaml")["train_nb"]
    assert params == {"var_smoothing": 1e-9, "calibration": "on"}


@pytest.mark.parametrize("text", ["split: [1, 2", "split: {seed: 1, seed: 2}", "split: {a: *b}"])
def test_a_file_that_is_not_yaml_is_named_in_one_line(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(BadInput, match="params.yaml") as caught:
        read_yaml(tmp_path / "params.yaml")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "- 1\n", "fetch:\n", "fetch: synthetic\n"])
def test_missing_sections_of_params_stop_with_one_line(workdir, text):
    (workdir.path / "params.yaml").write_text(text)
    assert "params.yaml" in workdir.expect_refusal("fetch")


# Stages that split, fit, load a model or compute metrics.
USE_SKLEARN = {"split", "train_svm", "train_nb", "evaluate", "promote"}
USE_MATPLOTLIB = {"evaluate", "drift"}
# Imports each stage in a fork of a process that has loaded the slow libraries of its group.
IMPORT_STAGES = """
import importlib, os, sys
import stages, numpy

def fork(function, *arguments):
    if not os.fork():
        function(*arguments)
        os._exit(0)
    assert os.wait()[1] == 0, arguments

def import_stage(stage):
    importlib.import_module(f"stages.{stage}")
    print(stage, *{name.partition(".")[0] for name in sys.modules}, flush=True)

def import_group(libraries, *stages):
    for library in filter(None, libraries.split("+")):
        importlib.import_module(library)
    for stage in stages:
        fork(import_stage, stage)

for group in sys.argv[1:]:
    fork(import_group, *group.split(","))
"""


def run_python(*arguments, folder=ROOT):
    """Lines that a Python process prints."""
    command = [sys.executable, "-c", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_stage_imports_only_the_slow_libraries_it_uses():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    groups = {}
    for name in stages:
        libraries = ["flowers.learning.svm"] * (name in USE_SKLEARN)
        libraries += ["flowers.base.plots"] * (name in USE_MATPLOTLIB)
        groups.setdefault("+".join(libraries), []).append(name)
    lines = run_python(IMPORT_STAGES, *(",".join([key, *names]) for key, names in groups.items()))
    loaded = {line.split()[0]: line.split()[1:] for line in lines}
    assert set(loaded) == set(stages)
    for name, modules in loaded.items():
        assert "dvc" not in modules, name
        assert ("matplotlib" in modules) == (name in USE_MATPLOTLIB), name
        assert ("sklearn" in modules) == (name in USE_SKLEARN), name


def test_the_empty_codebook_needs_no_scikit_learn(tmp_path):
    (tmp_path / "models").mkdir()
    work = f"import sys; sys.path.append({str(ROOT)!r})\nfrom stages import codebook\n"
    work += "codebook.main({'flatten.features': ['hog']}); print('sklearn' in sys.modules)"
    assert run_python(work, folder=tmp_path) == ["False"]
    assert (tmp_path / "models/codebook.npz").is_file()
