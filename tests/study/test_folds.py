"""Cross-validation over all photos: summary of the folds, and the review of labels."""

import importlib.util

import numpy as np
import pytest

from flowers.base.tables import read_json
from study import anchor, folds
from tests.imports import ROOT


def test_the_summary_has_the_mean_of_each_seed_and_of_all_folds():
    results = [
        {"svm": accuracy, "svm_confirmed": 0.85, "svm_confidence": 0.9, "nb": 0.7}
        for accuracy in np.repeat([0.8, 0.86], folds.FOLDS)
    ]
    summary = folds.summarise_folds(results)
    assert summary["seeds"] == pytest.approx([0.8, 0.86])
    assert summary["accuracy"] == pytest.approx(0.83)
    assert summary["std"] == pytest.approx(0.03)
    assert summary["confirmed_accuracy"] == pytest.approx(0.85)
    assert summary["confidence"] == pytest.approx(0.9)
    assert summary["nb_accuracy"] == pytest.approx(0.7)
    assert len(summary["folds"]) == 10


def test_the_interval_of_a_trial_holds_its_difference():
    for trial in read_json(ROOT / "study/accuracy_trials.json")["trials"]:
        if trial["against"]:
            assert trial["low"] <= trial["change"] <= trial["high"], trial["idea"]


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_without_the_extra_the_anchor_says_what_to_install():
    with pytest.raises(SystemExit, match=r"pip install '\.\[anchor\]'"):
        anchor.load_network()
