"""Demands on answers: what a model says of the test photos, and the tables made of it."""

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.evaluation.metrics import (
    average_precision_recall,
    compute_metrics,
    compute_precision_recall,
    summarise_evaluation,
)
from flowers.evaluation.predictions import (
    Predictions,
    build_class_rows,
    build_prediction_rows,
    find_confident_errors,
)
from flowers.learning.naive_bayes import CalibratedNB
from tests.flowers.learning.estimator_data import make_rows

CLASSES = np.array(["a", "b"])
SHARES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])


def given(*labels, shares=SHARES):
    return Predictions(np.array(labels), np.arange(len(labels)), CLASSES, shares, shares)


def test_they_are_those_of_the_model():
    X, y = make_rows()
    model = CalibratedNB().fit(X, y)
    answers = Predictions.from_model(model, X, y, np.arange(len(y)))
    np.testing.assert_array_equal(answers.probabilities, model.predict_proba(X))
    np.testing.assert_array_equal(answers.predicted, model.predict(X))
    np.testing.assert_array_equal(answers.correct, model.predict(X) == y)
    np.testing.assert_array_equal(answers.confidence, model.predict_proba(X).max(axis=1))


def test_a_label_the_model_never_saw_is_refused_by_name():
    X, y = make_rows()
    model = CalibratedNB().fit(X, y)
    with pytest.raises(BadInput, match="'rose'"):
        Predictions.from_model(model, X[:2], np.array([y[0], "rose"]), np.arange(2))


def test_a_row_of_the_table_has_the_facts_and_the_answers_of_every_model():
    answers = {"svm": given("a", "b", "b", "b"), "nb": given("a", "b", "b", "b")}
    table = build_prediction_rows(answers, {"row": [3, 5, 7, 9], "path": list("wxyz")})
    assert [line["row"] for line in table] == [3, 5, 7, 9]
    assert table[2]["svm"] == table[2]["nb"] == "b" and table[2]["path"] == "y"
    assert table[0]["svm_a"] == "0.900000" and table[0]["nb_b"] == "0.100000"


def test_the_worst_mistakes_are_the_surest_ones_of_the_best_model():
    better, worse = given("b", "b", "b", "b"), given("b", "b", "a", "b")
    places, captions = find_confident_errors({"nb": worse, "svm": better}, 1)
    assert places.tolist() == [0] and captions == ["b: a 0.90"]
    assert len(find_confident_errors({"nb": worse, "svm": better}, 9)[0]) == 2


def test_the_summary_compares_both_models_on_the_same_photos():
    answers = {"svm": given("a", "a", "b", "b"), "nb": given("a", "a", "b", "b", shares=1 - SHARES)}
    figures = {name: compute_metrics(told, 100, 0, 10) for name, told in answers.items()}
    told = summarise_evaluation(answers, figures, np.array(["b", "b", "a"]))
    assert (told["photos"], told["distinct"], told["baseline_accuracy"]) == (4, 4, 0.5)
    assert told["svm_vs_nb"]["only_first_correct"] == 4
    assert "per_class" not in told["svm"]
    assert len(build_class_rows(figures)) == 4


def test_the_mean_curve_is_that_of_the_classes():
    told = given("a", "a", "b", "b")
    table = average_precision_recall(
        {"svm": compute_precision_recall(told.labels, told.probabilities, CLASSES, 5)}
    )
    assert [row["recall"] for row in table] == [0, 0.25, 0.5, 0.75, 1]
    assert all(row["svm"] == 1 for row in table)
