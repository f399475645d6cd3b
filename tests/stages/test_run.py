"""What all stages have in common: parameters are checked before any work."""

import pytest


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"train_svm.C": -1}, ("train_svm.C", "-1")),
        ({"train_svm.C": float("nan")}, ("train_svm.C", "nan")),
        ({"train_svm.gamma": "auto"}, ("train_svm.gamma", "auto")),
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
