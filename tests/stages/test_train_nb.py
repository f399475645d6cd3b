import json

import numpy as np

from flowers.learning.persistence import load_model


def test_the_model_file_predicts_probabilities(finished_run):
    model = load_model(finished_run.path / "models/nb.joblib")
    X = np.load(finished_run.path / "data/features.npy")
    probabilities = model.predict_proba(X[:7])
    assert probabilities.shape == (7, 5)
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_the_out_of_fold_accuracy_is_reported(finished_run):
    figures = json.loads((finished_run.path / "metrics/train_nb.json").read_text())
    assert 0.2 < figures["out_of_fold_accuracy"] < 1


def test_more_folds_than_distinct_photos_are_refused(workdir):
    message = workdir.expect_refusal("train_nb", **{"train_nb.folds": 50})
    assert "50" in message and "folds" in message


def test_the_same_rows_give_the_same_bytes(repo_copy):
    before = (repo_copy.path / "models/nb.joblib").read_bytes()
    # In a new process: the bytes of a pickle depend on the objects that existed before.
    repo_copy.run("python", "-m", "stages.train_nb")
    assert (repo_copy.path / "models/nb.joblib").read_bytes() == before
