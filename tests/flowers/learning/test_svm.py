"""Demands on GramSVC: the machine of plain SVC, kept small, and a scikit-learn estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.svm import GramSVC, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    EXPECTED_FAILURES,
    assert_the_label_is_the_most_probable_class,
    make_rows,
)

TOLERANCE = 1e-3


def halves(classes=5, dtype="uint8", d=60):
    """Train and test rows with a constant column, and their labels."""
    X, y = make_rows(n=240, d=d, classes=classes, dtype=dtype)
    X[:, 3] = X[0, 3]
    return X[:160], y[:160], X[160:], y[160:]


def plain(C=1.0, gamma="scale", shape="ovo"):
    machine = SVC(C=C, gamma=gamma, decision_function_shape=shape, break_ties=shape == "ovr")
    return make_pipeline(StandardScaler(), machine)


def assert_like_plain_svc(X, y, new, **params):
    model = GramSVC(**params).fit(X, y)
    pairs = plain(**params).fit(X.astype(float), y).decision_function(new.astype(float))
    expected = sum_votes_and_margins(pairs) if pairs.ndim == 2 else pairs
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)
    labels = plain(**params, shape="ovr").fit(X.astype(float), y).predict(new.astype(float))
    # Temperature scaling keeps the order of the decision values.
    np.testing.assert_array_equal(model.predict(new), labels)


def test_the_class_that_wins_most_pairs_leads_and_margins_break_ties():
    # Three classes in a circle, 0 over 1, 1 over 2, 2 over 0 by the widest margin.
    tie = sum_votes_and_margins(np.array([[0.5, -0.9, 0.5]]))
    assert tie.argmax() == 2 and tie.sum() == pytest.approx(3)
    clear = sum_votes_and_margins(np.array([[0.2, 0.3, -0.1], [1.2, 1.3, -0.1]]))
    assert (clear.argmax(axis=1) == 0).all()
    assert clear[1, 0] - clear[0, 0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_answers_are_those_of_plain_svc(dtype, classes):
    X, y, new, _ = halves(classes, dtype)
    assert_like_plain_svc(X, y, new)


@pytest.mark.parametrize("params", [{"C": 10.0}, {"C": 0.3, "gamma": 0.02}])
def test_c_and_gamma_mean_what_they_mean_to_plain_svc(params):
    X, y, new, _ = halves()
    assert_like_plain_svc(X, y, new, **params)


def test_answers_on_real_photos_are_those_of_plain_svc(real_photos):
    images, labels = real_photos
    X = np.ascontiguousarray(images.reshape(128, -1)[:, ::48])
    assert_like_plain_svc(X[:100], labels[:100], X[100:])


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_gamma_scale_is_that_of_plain_svc(dtype):
    X, y, _, _ = halves(dtype=dtype)
    expected = 1 / (X.shape[1] * StandardScaler().fit_transform(X.astype(float)).var())
    assert GramSVC().fit(X, y).gamma_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("calibration", ["temperature", "sigmoid", "isotonic"])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_label_is_the_most_probable_class(classes, calibration):
    X, y, new, truth = halves(classes)
    model = GramSVC(calibration=calibration).fit(X, y)
    assert_the_label_is_the_most_probable_class(model, new, truth)


def test_support_vectors_alone_are_kept_as_they_came():
    X, y = make_rows(n=400, shift=40.0)
    model = GramSVC().fit(X, y)
    assert 0 < len(model.support_vectors_) < len(X)
    assert model.support_vectors_.dtype == np.uint8
    np.testing.assert_array_equal(model.support_vectors_, X[model.support_])
    assert not any(np.shape(value) == X.shape for value in vars(model).values())
    assert not any(np.shape(value) == X.shape for value in vars(model.classifier_).values())


def test_one_row_is_answered_as_in_a_batch():
    X, y, new, _ = halves()
    model = GramSVC().fit(X, y)
    one_by_one = np.concatenate([model.predict_proba(row[None]) for row in new])
    np.testing.assert_allclose(one_by_one, model.predict_proba(new), rtol=0, atol=1e-6)


def test_the_same_rows_give_the_same_model():
    X, y, new, _ = halves()
    first, again = (GramSVC().fit(X, y).predict_proba(new) for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_a_clone_has_the_knobs_and_nothing_learnt():
    X, y, _, _ = halves()
    model = GramSVC(C=3.0, gamma=0.1, calibration="sigmoid", folds=4, seed=7)
    twin = clone(model.fit(X, y))
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "support_vectors_")
    assert twin.set_params(C=5.0, folds=2).get_params()["C"] == 5.0


def test_grid_search_finds_the_better_knob():
    X, y, _, _ = halves()
    search = GridSearchCV(GramSVC(folds=2), {"gamma": ["scale", 100.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {"gamma": "scale"}
    assert search.best_score_ > 0.8


@parametrize_with_checks([GramSVC()], expected_failed_checks=lambda model: EXPECTED_FAILURES)
def test_scikit_learn_takes_it_for_an_estimator(estimator, check):
    check(estimator)


def test_a_few_rows_together_have_the_bits_of_each_alone():
    pairwise = np.random.default_rng(0).normal(size=(BATCH_INVARIANT_ROWS, 10))
    alone = np.concatenate([sum_votes_and_margins(row[None]) for row in pairwise])
    for count in range(2, BATCH_INVARIANT_ROWS + 1):
        np.testing.assert_array_equal(sum_votes_and_margins(pairwise[:count]), alone[:count])
