import json

import numpy as np
import pytest

from flowers.learning.persistence import load_model


def test_the_model_on_disk_answers_with_probabilities(finished):
    model = load_model(finished.path / "models/svm.joblib")
    X = np.load(finished.path / "data/features.npy")
    answers = model.predict_proba(X[:7])
    assert answers.shape == (7, 5)
    assert np.allclose(answers.sum(axis=1), 1)


def test_accuracy_on_held_out_folds_is_reported(finished):
    figures = json.loads((finished.path / "metrics/train_svm.json").read_text())
    assert 0.2 < figures["out_of_fold_accuracy"] < 1


def test_more_folds_than_distinct_pictures_is_refused(desk):
    line = desk.refused("train_svm", **{"train_svm.folds": 50})
    assert "50" in line and "folds" in line


def test_the_same_rows_give_the_same_bytes(shop):
    before = (shop.path / "models/svm.joblib").read_bytes()
    # Of a process of its own: what is pickled once depends on what was there before.
    shop.run("python", "-m", "stages.train_svm")
    assert (shop.path / "models/svm.joblib").read_bytes() == before


@pytest.mark.slow
def test_mirror_images_of_training_photos_are_learnt_from(learned):
    figures = json.loads((learned.path / "metrics/train_svm.json").read_text())
    split = json.loads((learned.path / "metrics/split.json").read_text())
    assert figures["photos"] == figures["mirrored_rows"] == split["train"]


@pytest.mark.slow
def test_features_that_learn_tell_drawn_flowers_apart(learned):
    figures = json.loads((learned.path / "metrics/evaluate.json").read_text())
    assert figures["svm"]["accuracy"] > figures["baseline_accuracy"] + 0.2


@pytest.mark.slow
def test_a_machine_that_is_streamed_takes_the_place_of_the_other(learned, tmp_path):
    shop = learned.copied(tmp_path / "repository")
    before = load_model(shop.path / "models/svm.joblib")
    shop.stage("train_svm", **{"train_svm.solver": "sgd"})
    figures = json.loads((shop.path / "metrics/train_svm.json").read_text())
    assert figures["photos"] == figures["mirrored_rows"] and figures["gap"] <= 0.05
    after = load_model(shop.path / "models/svm.joblib")
    assert type(after) is not type(before)
    assert after.classifier_.coef_.shape == before.classifier_.coef_.shape
    X = np.load(shop.path / "data/features.npy")
    assert np.mean(after.predict(X) == before.predict(X)) > 0.9
    shop.run("dvc", "repro", "promote")
    card = json.loads((shop.path / "models/candidate/card.json").read_text())
    assert card["classes"] == list(after.classes_)


@pytest.mark.slow
def test_a_streamed_fit_can_standardise_and_choose(learned, tmp_path):
    shop = learned.copied(tmp_path / "repository")
    shop.stage(
        "train_svm",
        **{"train_svm.solver": "sgd", "train_svm.standardise": True, "train_svm.C": [0.1, 2.0]},
    )
    figures = json.loads((shop.path / "metrics/train_svm.json").read_text())
    assert figures["candidates"] == 2 and figures["out_of_fold_accuracy"] > 0.3
