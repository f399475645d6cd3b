"""What all stages have in common: parameters are checked before any work."""

import subprocess
import sys

import pytest

from flowers.errors import BadInput
from stages._run import read_yaml
from tests.imports import ROOT


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"train_svm.C": -1}, ("train_svm.C", "-1")),
        ({"train_svm.C": float("nan")}, ("train_svm.C", "nan")),
        ({"train_svm.gamma": "auto"}, ("train_svm.gamma", "auto")),
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
def test_a_bad_knob_of_any_stage_stops_the_first_one_with_key_value_and_range(shop, knobs, words):
    photos = sorted((shop.path / "data/photos").rglob("*"))
    line = shop.refused("fetch", **knobs)
    assert all(word in line for word in words), line
    assert sorted((shop.path / "data/photos").rglob("*")) == photos


def test_a_stage_that_stops_says_one_line_and_exits_with_1(shop):
    done = shop.stage("fetch", check=False, **{"train_svm.C": -1})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("fetch: ") and "train_svm.C" in line


def test_an_undeclared_knob_is_not_available(shop):
    text = (shop.path / "dvc.yaml").read_text()
    (shop.path / "dvc.yaml").write_text(
        text.replace("params: [split]", "params: [split.strategy, split.test_size]")
    )
    done = shop.stage("split", check=False)
    assert done.returncode == 1 and "KeyError" in done.stderr


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
def test_a_params_file_that_lacks_its_sections_stops_with_one_line(shop, text):
    (shop.path / "params.yaml").write_text(text)
    done = shop.run("python", "-m", "stages.fetch", check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "params.yaml" in done.stderr


@pytest.mark.parametrize("stage", sorted(p.stem for p in (ROOT / "stages").glob("[!_]*.py")))
def test_a_stage_starts_without_dvc_and_with_matplotlib_only_where_it_draws(stage):
    script = f"import sys, stages.{stage}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert done.returncode == 0 and "dvc" not in loaded, done.stderr
    drawn = (ROOT / "dvc.yaml").read_text().partition(f"\n  {stage}:\n")[2].partition("desc:")[2]
    assert ("matplotlib" in loaded) == (".svg" in drawn.partition("desc:")[0])
