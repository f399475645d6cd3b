"""GramSVC: the decision values of SVC, a small model, a scikit-learn estimator."""

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from flowers.learning.gram import GRAM_ROWS
from flowers.learning.svm import GramSVC, choose_solver, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    make_rows,
    make_train_and_test,
)

TOLERANCE = 1e-3


def make_reference(C=1.0, gamma="scale", shape="ovo"):
    svc = SVC(C=C, gamma=gamma, decision_function_shape=shape, break_ties=shape == "ovr")
    return make_pipeline(StandardScaler(), svc)


def assert_predicts_like_svc(X, y, new, **params):
    model = GramSVC(**params).fit(X, y)
    expected = make_reference(**params).fit(X.astype(float), y).decision_function(new.astype(float))
    if expected.ndim == 2:
        expected = sum_votes_and_margins(expected)
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)
    reference = make_reference(**params, shape="ovr").fit(X.astype(float), y)
    # Temperature scaling keeps the order of the decision values.
    np.testing.assert_array_equal(model.predict(new), reference.predict(new.astype(float)))


def test_the_class_with_most_votes_wins_and_margins_break_ties():
    # A cycle of three classes: 0 beats 1, 1 beats 2, 2 beats 0 by the largest margin.
    tie = sum_votes_and_margins(np.array([[0.5, -0.9, 0.5]]))
    assert tie.argmax() == 2 and tie.sum() == pytest.approx(3)
    clear = sum_votes_and_margins(np.array([[0.2, 0.3, -0.1], [1.2, 1.3, -0.1]]))
    assert (clear.argmax(axis=1) == 0).all()
    assert clear[1, 0] - clear[0, 0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(
    ("dtype", "params"),
    [
        ("uint8", {}),
        ("float32", {}),
        ("float64", {}),
        ("uint8", {"C": 10.0}),
        ("uint8", {"C": 0.3, "gamma": 0.02}),
    ],
)
def test_predictions_are_those_of_svc(dtype, classes, params):
    X, y, new, _ = make_train_and_test(classes, dtype)
    assert_predicts_like_svc(X, y, new, **params)


@pytest.mark.parametrize("standardise", [True, False])
def test_one_against_the_rest_is_that_of_scikit_learn(standardise):
    X, y, new, _ = make_train_and_test()
    model = GramSVC(multiclass="ovr", standardise=standardise).fit(X, y)
    scaler = StandardScaler(with_mean=standardise, with_std=standardise).fit(X.astype(float))
    reference = OneVsRestClassifier(SVC(gamma=model.gamma_))
    reference.fit(scaler.transform(X.astype(float)), y)
    expected = reference.decision_function(scaler.transform(new.astype(float)))
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_gamma_scale_is_that_of_svc(dtype, standardise):
    X, y, _, _ = make_train_and_test(dtype=dtype)
    rows = X.astype(float)
    rows = StandardScaler().fit_transform(rows) if standardise else rows
    expected = 1 / (X.shape[1] * rows.var())
    assert GramSVC(standardise=standardise).fit(X, y).gamma_ == pytest.approx(expected, rel=1e-9)


def test_the_model_keeps_only_support_vectors_in_their_dtype():
    X, y = make_rows(n=400, shift=40.0)
    model = GramSVC().fit(X, y)
    assert 0 < len(model.support_vectors_) < len(X)
    assert model.support_vectors_.dtype == np.uint8
    np.testing.assert_array_equal(model.support_vectors_, X[model.support_])
    for values in (vars(model), vars(model.classifier_)):
        assert not any(np.shape(value) == X.shape for value in values.values())


@pytest.mark.parametrize(
    ("solver", "kernel", "rows", "chosen"),
    [
        ("auto", "linear", GRAM_ROWS, "gram"),
        ("auto", "linear", GRAM_ROWS + 1, "sgd"),
        ("auto", "rbf", GRAM_ROWS + 1, "gram"),
        ("gram", "linear", GRAM_ROWS + 1, "gram"),
        ("sgd", "linear", 10, "sgd"),
    ],
)
def test_the_solver_depends_on_the_number_of_rows(solver, kernel, rows, chosen):
    assert choose_solver(solver, kernel, rows) == chosen
