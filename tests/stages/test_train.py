import json

import numpy as np
import pytest

from flowers.learning.persistence import load_model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["svm", "nb"])
def test_the_same_rows_give_the_same_bytes(repo_copy, name):
    before = (repo_copy.path / f"models/{name}.joblib").read_bytes()
    # In a new process: the bytes of a pickle depend on the objects that existed before.
    repo_copy.run("python", "-m", f"stages.train_{name}")
    assert (repo_copy.path / f"models/{name}.joblib").read_bytes() == before


@pytest.mark.slow
def test_fisher_features_and_altered_copies_classify_synthetic_flowers(fisher_run):
    figures, split, evaluate = (
        json.loads((fisher_run.path / f"metrics/{name}.json").read_text())
        for name in ("train_svm", "split", "evaluate")
    )
    assert figures["photos"] == figures["augmented_rows"] == split["train"]
    assert evaluate["svm"]["accuracy"] > evaluate["baseline_accuracy"] + 0.1  # 26 photos


@pytest.mark.slow
def test_the_sgd_solver_replaces_the_gram_solver(fisher_run, tmp_path):
    repo_copy = fisher_run.copy_to(tmp_path / "repository")
    before = load_model(repo_copy.path / "models/svm.joblib")
    repo_copy.run_stage("train_svm", **{"train_svm.solver": "sgd", "train_svm.C": [0.1, 2.0]})
    figures = json.loads((repo_copy.path / "metrics/train_svm.json").read_text())
    assert figures["photos"] == figures["augmented_rows"] and figures["gap"] <= 0.05
    assert figures["candidates"] == 2
    after = load_model(repo_copy.path / "models/svm.joblib")
    assert type(after) is not type(before)
    assert after.classifier_.coef_.shape == before.classifier_.coef_.shape
    X = np.load(repo_copy.path / "data/features.npy")
    assert np.mean(after.predict(X) == before.predict(X)) > 0.9
    repo_copy.run("dvc", "repro", "promote")
    card = json.loads((repo_copy.path / "models/candidate/card.json").read_text())
    assert card["classes"] == list(after.classes_)
