import csv
import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from flowers.base.tables import read_csv


@pytest.fixture(scope="module")
def predictions(finished_run):
    return read_csv(finished_run.path / "metrics/predictions.csv")


@pytest.fixture(scope="module")
def figures(finished_run):
    return json.loads((finished_run.path / "metrics/evaluate.json").read_text())


@pytest.mark.parametrize("model", ["svm", "nb"])
def test_metrics_follow_from_the_table_of_predictions(predictions, figures, model):
    labels = predictions["label"]
    classes = np.unique(labels)
    columns = [predictions[f"{model}_{c}"].astype(float) for c in classes]
    probabilities = np.column_stack(columns)
    assert np.array_equal(classes[probabilities.argmax(axis=1)], predictions[model])
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # written with six decimals
    metrics = figures[model]
    assert metrics["accuracy"] == float(f"{accuracy_score(labels, predictions[model]):.4g}")
    assert metrics["log_loss"] == pytest.approx(log_loss(labels, probabilities), rel=1e-3)
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]


def test_only_test_images_are_evaluated(finished_run, predictions):
    with (finished_run.path / "data/split.csv").open() as file:
        parts = {row["row"]: row["part"] for row in csv.DictReader(file)}
    assert {parts[row] for row in predictions["row"]} == {"test"}
    assert len(predictions["row"]) == list(parts.values()).count("test")
