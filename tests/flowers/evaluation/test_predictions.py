"""Predictions on the test images, and the tables built from them."""

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.evaluation import comparison, metrics
from flowers.evaluation.predictions import Predictions, build_rows, find_confident_errors
from flowers.learning.naive_bayes import CalibratedNB
from tests.flowers.learning.estimator_data import make_rows

CLASSES = np.array(["a", "b"])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])


def make_predictions(*labels, probabilities=PROBABILITIES):
    groups = np.arange(len(labels))
    return Predictions(np.array(labels), groups, CLASSES, probabilities, probabilities)


def test_a_label_without_training_images_is_rejected():
    X, y = make_rows()
    model = CalibratedNB().fit(X, y)
    with pytest.raises(BadInput, match="'rose'"):
        Predictions.from_model(model, X[:2], np.array([y[0], "rose"]), np.arange(2))


def test_a_row_identifies_the_image_and_has_the_predictions_of_every_model():
    index = {key: np.array(list("abcdefghij")) for key in ("path", "sha256", "label")}
    labels = ("a", "b", "b", "b")
    by_model = {"svm": make_predictions(*labels), "nb": make_predictions(*labels)}
    table = build_rows(by_model, index, np.array([3, 5, 7, 9]))
    assert [line["row"] for line in table] == [3, 5, 7, 9]
    assert table[2]["svm"] == table[2]["nb"] == "b" and table[2]["path"] == "h"
    assert table[0]["svm_a"] == "0.900000" and table[0]["nb_b"] == "0.100000"


def test_confident_errors_are_those_of_the_most_accurate_model():
    better = make_predictions("b", "b", "b", "b")
    worse = make_predictions("b", "b", "a", "b")
    by_model = {"nb": worse, "svm": better}
    positions, captions = find_confident_errors(by_model, 1)
    assert positions.tolist() == [0] and captions == ["b: a 0.90"]
    assert len(find_confident_errors(by_model, 9)[0]) == 2


def test_the_summaries_compare_the_first_model_with_every_other():
    labels = ("a", "a", "b", "b")
    by_model = {"svm": make_predictions(*labels)}
    for name in ("nb", "tree"):
        by_model[name] = make_predictions(*labels, probabilities=1 - PROBABILITIES)
    figures = {name: metrics.compute_metrics(p, 100, 0, 10) for name, p in by_model.items()}
    summary = comparison.summarise_evaluation(by_model, figures, np.array(["b", "b", "a"]), 100, 0)
    assert (summary["photos"], summary["distinct"], summary["baseline_accuracy"]) == (4, 4, 0.5)
    for test in ("svm_vs_nb", "svm_vs_tree"):
        assert summary[test]["only_first_correct"] == 4
    assert "per_class" not in summary["svm"]
    assert comparison.describe_accuracy(summary).split(", ")[1:3] == ["NB 0.000", "TREE 0.000"]
    assert len(metrics.build_class_rows(figures)) == 6
    groups = np.array([0, 0, 1, 2])
    selected = metrics.select_summary_metrics(figures, groups, np.arange(4) > 1, __file__)
    assert " ".join(selected) == (
        "photos distinct leakage svm svm_low svm_high nb tree log_loss ece model_mb"
    )
