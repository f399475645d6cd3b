import csv
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, log_loss

from flowers.evaluation.metrics import run_mcnemar_test


@pytest.fixture(scope="module")
def predictions(finished_run):
    with (finished_run.path / "metrics/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


@pytest.fixture(scope="module")
def figures(finished_run):
    return json.loads((finished_run.path / "metrics/evaluate.json").read_text())


@pytest.mark.parametrize("model", ["svm", "nb"])
def test_figures_follow_from_the_rows(predictions, figures, model):
    labels = predictions["label"]
    classes = sorted(set(labels))
    shares = np.column_stack([predictions[f"{model}_{c}"].astype(float) for c in classes])
    shares /= shares.sum(axis=1, keepdims=True)  # they are written with six digits
    assert figures[model]["accuracy"] == float(f"{accuracy_score(labels, predictions[model]):.4g}")
    assert figures[model]["log_loss"] == pytest.approx(log_loss(labels, shares), rel=1e-3)
    assert figures[model]["accuracy_low"] < figures[model]["accuracy"]
    assert figures[model]["accuracy"] < figures[model]["accuracy_high"]


@pytest.mark.parametrize("model", ["svm", "nb"])
def test_the_answer_is_the_class_of_the_highest_probability(predictions, model):
    classes = np.array(sorted(set(predictions["label"])))
    shares = np.column_stack([predictions[f"{model}_{c}"].astype(float) for c in classes])
    assert np.array_equal(classes[shares.argmax(axis=1)], predictions[model])


def test_the_paired_test_follows_from_the_rows(predictions, figures):
    right = {m: predictions[m] == predictions["label"] for m in ("svm", "nb")}
    found = run_mcnemar_test(right["svm"], right["nb"])
    assert figures["svm_vs_nb"]["only_first_correct"] == found["only_first_correct"]
    assert figures["svm_vs_nb"]["p_value"] == pytest.approx(found["p_value"], rel=1e-3)


def test_only_test_photos_are_scored(finished_run, predictions):
    with (finished_run.path / "data/split.csv").open() as file:
        parts = {row["row"]: row["part"] for row in csv.DictReader(file)}
    assert {parts[row] for row in predictions["row"]} == {"test"}
    assert len(predictions["row"]) == list(parts.values()).count("test")


@pytest.mark.parametrize("name", ["confusion.svg", "reliability.svg", "recall.svg", "tuning.svg"])
def test_charts_are_drawn(finished_run, name):
    assert "</svg>" in (finished_run.path / "plots" / name).read_text()


@pytest.mark.parametrize("name", ["photos.jpg", "twins.jpg", "mistakes.jpg"])
def test_contact_sheets_are_photos(finished_run, name):
    with Image.open(finished_run.path / "plots" / name) as sheet:
        sheet.load()
        assert np.asarray(sheet).std() > 10
