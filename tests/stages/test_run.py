"""What all stages have in common: parameters are checked before any work."""

import contextlib
import errno
import subprocess
import sys
from concurrent.futures import BrokenExecutor

import pytest
import yaml

from flowers.base.errors import BadInput
from stages.support.run import read_yaml, run_stage
from tests.imports import ROOT


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"train_svm.C": -1}, ("train_svm.C", "-1")),
        ({"train_svm.C": float("nan")}, ("train_svm.C", "nan")),
        ({"train_svm.C": [1.0, float("nan")]}, ("train_svm.C[1]", "nan")),
        ({"codebook.scales": [float("nan")]}, ("codebook.scales[0]", "nan")),
        ({"train_svm.C": True}, ("train_svm.C", "True", "1000000", "list")),
        ({"train_svm.gamma": "auto"}, ("train_svm.gamma", "auto", "scale", "1000")),
        ({"train_svm.folds": 5.0}, ("train_svm.folds", "5.0", "integer")),
        ({"train_svm.solver": "sdg"}, ("train_svm.solver", "sdg", "gram")),
        ({"train_svm.solver": "sgd"}, ("train_svm.kernel", "rbf", "linear", "sgd")),
        ({"resize.size": 100}, ("resize.size", "100", "16")),
        ({"split.test_size": 1.5}, ("split.test_size", "1.5", "0.5")),
        ({"split.strategy": "radnom"}, ("split.strategy", "radnom", "grouped")),
        ({"fetch.source": "archive"}, ("fetch.path", "None")),
        ({"fetch.colour": "red"}, ("fetch", "colour")),
        ({"evaluate.bins": "ten"}, ("evaluate.bins", "ten")),
    ],
)
def test_a_bad_knob_of_any_stage_stops_the_first_one_with_key_value_and_range(
    workdir, params, words
):
    photos = sorted((workdir.path / "data/photos").rglob("*"))
    line = workdir.expect_refusal("fetch", **params)
    assert all(word in line for word in words), line
    assert sorted((workdir.path / "data/photos").rglob("*")) == photos


def test_a_stage_that_stops_says_one_line_and_exits_with_1(repo_copy):
    repo_copy.set_params(**{"train_svm.C": -1})
    done = repo_copy.run("python", "-m", "stages.fetch", check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("fetch: ") and "train_svm.C" in line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "photos/a.jpg"), "'photos/a.jpg'"),
        (OSError(errno.ENOSPC, "No space left on device", "data/x.npy"), "No space left"),
        (MemoryError("Unable to allocate 9. TiB"), "9. TiB"),
        (BrokenExecutor("terminated"), "JOBS"),
    ],
)
def test_what_the_machine_refuses_is_one_line_too(workdir, error, words):
    def main(_):
        raise error

    with contextlib.chdir(workdir.path), pytest.raises(SystemExit) as ended:
        run_stage("split", main)
    (line,) = ended.value.code.splitlines()
    assert line.startswith("split: ") and words in line


def test_an_undeclared_knob_is_not_available(repo_copy):
    text = (repo_copy.path / "dvc.yaml").read_text()
    (repo_copy.path / "dvc.yaml").write_text(
        text.replace("params: [split]", "params: [split.strategy, split.test_size]")
    )
    with pytest.raises(KeyError):
        repo_copy.run_stage("split")


def test_numbers_are_those_of_yaml_1_2(tmp_path):
    (tmp_path / "params.yaml").write_text("train_nb: {var_smoothing: 1e-9, calibration: on}\n")
    found = read_yaml(tmp_path / "params.yaml")["train_nb"]
    assert found == {"var_smoothing": 1e-9, "calibration": "on"}


@pytest.mark.parametrize("text", ["split: [1, 2", "split: {seed: 1, seed: 2}", "split: {a: *b}"])
def test_a_file_that_is_no_yaml_stops_with_its_name_on_one_line(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(BadInput, match="params.yaml") as caught:
        read_yaml(tmp_path / "params.yaml")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "- 1\n", "fetch:\n", "fetch: drawn\n"])
def test_a_params_file_that_lacks_its_sections_stops_with_one_line(workdir, text):
    (workdir.path / "params.yaml").write_text(text)
    assert "params.yaml" in workdir.expect_refusal("fetch")


# Those that split, fit, load a model or score.
LEARNS = {"split", "train_svm", "train_nb", "evaluate", "promote"}
# Each stage in a fork of a process that has loaded what takes long and all of them may load.
LOADED = """
import importlib, os, sys
import stages
importlib.import_module(sys.argv[1])
for stage in sys.argv[2:]:
    if not os.fork():
        importlib.import_module(f"stages.{stage}")
        print(stage, *{name.partition(".")[0] for name in sys.modules}, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, stage
"""


def printed(*arguments, folder=ROOT):
    """The lines that a process of Python prints."""
    command = [sys.executable, "-c", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("first", "learn"), [("numpy", False), ("flowers.learning.svm", True)])
def test_a_stage_starts_with_no_library_that_it_does_not_need(first, learn):
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    some = [stage for stage in stages if (stage in LEARNS) == learn]
    loaded = {line.split()[0]: line.split()[1:] for line in printed(LOADED, first, *some)}
    assert set(loaded) == set(some)
    for stage, modules in loaded.items():
        drawn = any(".svg" in path for out in stages[stage].get("plots", ()) for path in out)
        assert "dvc" not in modules and ("matplotlib" in modules) == drawn, stage
        assert ("sklearn" in modules) == learn, stage


def test_a_codebook_of_features_that_do_not_learn_needs_no_scikit_learn(tmp_path):
    (tmp_path / "models").mkdir()
    work = f"import sys; sys.path.append({str(ROOT)!r})\nfrom stages import codebook\n"
    work += "codebook.main({'flatten.features': ['hog']}); print('sklearn' in sys.modules)"
    assert printed(work, folder=tmp_path) == ["False"]
    assert (tmp_path / "models/codebook.npz").is_file()
