"""Demands on naive Bayes: the model of GaussianNB, with probabilities that mean something."""

import pickle

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from flowers.learning.naive_bayes import CalibratedNB, LogLikelihoodNB
from flowers.learning.standardisation import BLOCK
from tests.flowers.learning.estimator_data import EXPECTED_FAILURES, checks_of_learning, make_rows

TOLERANCE = 1e-9


def pair(X, y, **params):
    """The same model by this library and by scikit-learn, which is given float64."""
    return LogLikelihoodNB(**params).fit(X, y), GaussianNB(**params).fit(X.astype(float), y)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("d", [7, BLOCK + 5])
def test_log_likelihoods_and_labels_are_those_of_gaussian_nb(dtype, d):
    X, y = make_rows(n=90, d=d, dtype=dtype)
    X[:, 1] = X[0, 1]
    new, _ = make_rows(n=30, d=d, dtype=dtype, seed=1)
    new[:, 1] = X[0, 1]
    model, reference = pair(X, y)
    expected = reference.predict_joint_log_proba(new.astype(float))
    np.testing.assert_allclose(model.decision_function(new) * d, expected, rtol=TOLERANCE)
    np.testing.assert_array_equal(model.predict(new), reference.predict(new.astype(float)))


def test_two_classes_give_the_difference_of_their_log_likelihoods():
    X, y = make_rows(n=60, d=9, classes=2)
    model, reference = pair(X, y)
    joint = reference.predict_joint_log_proba(X.astype(float))
    np.testing.assert_allclose(
        model.decision_function(X) * 9, joint[:, 1] - joint[:, 0], rtol=1e-7, atol=1e-9
    )
    np.testing.assert_array_equal(model.predict(X), reference.predict(X.astype(float)))


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_held_out_values_are_those_of_fits_without_the_fold(classes, dtype):
    X, y = make_rows(n=150, d=BLOCK + 5, classes=classes, dtype=dtype)
    X[:, 3] = X[0, 3]
    folds = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    model = LogLikelihoodNB()
    found = model.fit_with_folds(X, y, folds)
    expected = cross_val_predict(LogLikelihoodNB(), X, y, cv=folds, method="decision_function")
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    every = LogLikelihoodNB().fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), every.decision_function(X), TOLERANCE)


def test_features_far_from_zero_lose_no_digits():
    X, y = make_rows(n=90, d=20, dtype="float64")
    model, far = LogLikelihoodNB().fit(X, y), LogLikelihoodNB().fit(X + 1e6, y)
    np.testing.assert_allclose(far.var_, model.var_, rtol=1e-6)


def test_a_class_that_is_away_in_a_fold_still_gets_finite_values():
    X, y = make_rows(n=90, d=20)
    away = np.flatnonzero(y == "Lotus")
    folds = [(np.setdiff1d(np.arange(90), away), away), (away, np.setdiff1d(np.arange(90), away))]
    assert np.isfinite(LogLikelihoodNB().fit_with_folds(X, y, folds)).all()


def test_smoothing_and_unequal_classes_are_as_in_gaussian_nb():
    X, y = make_rows(n=90, d=20)
    keep = np.flatnonzero((y != "Lotus") | (np.arange(90) < 30))
    X, y = X[keep], y[keep]
    model, reference = pair(X, y, var_smoothing=0.1)
    np.testing.assert_allclose(
        model.decision_function(X) * 20,
        reference.predict_joint_log_proba(X.astype(float)),
        rtol=TOLERANCE,
    )


def test_probabilities_of_many_dependent_columns_are_not_saturated():
    X, y = make_rows(n=300, d=12, shift=12.0)
    X = np.tile(X, (1, 100))
    train, new, truth = np.s_[:200], X[200:], y[200:]
    raw = GaussianNB().fit(X[train].astype(float), y[train]).predict_proba(new.astype(float))
    assert np.median(raw.max(axis=1)) > 0.999
    model = CalibratedNB().fit(X[train], y[train])
    confidence = model.predict_proba(new).max(axis=1)
    assert confidence.max() < 0.999
    assert abs(confidence.mean() - accuracy_score(truth, model.predict(new))) < 0.1


@pytest.mark.parametrize("classes", [2, 5])
def test_the_label_is_the_most_probable_class(classes):
    X, y = make_rows(classes=classes)
    model = CalibratedNB().fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(X), classes)
    np.testing.assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])


def test_one_row_is_answered_as_in_a_batch():
    X, y = make_rows()
    model = CalibratedNB().fit(X, y)
    one_by_one = np.concatenate([model.predict_proba(row[None]) for row in X])
    np.testing.assert_allclose(one_by_one, model.predict_proba(X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("reduce", ["pca", "lda"])
def test_a_reduction_is_that_of_scikit_learn(reduce):
    X, y = make_rows(n=200, d=120, dtype="float32")
    train, new = np.s_[:150], X[150:]
    model = CalibratedNB(reduce=reduce, components=4).fit(X[train], y[train])
    steps = [PCA(4, svd_solver="full")]
    steps += [LinearDiscriminantAnalysis()] if reduce == "lda" else []
    plain = make_pipeline(*steps).fit(X[train].astype(float), y[train])
    seen, asked = (plain.transform(make_rows.astype(float)) for make_rows in (X[train], new))
    expected = GaussianNB().fit(seen, y[train]).predict_joint_log_proba(asked) / seen.shape[1]
    found = model.decision_function(new)
    # Sizes of components, and with them a constant, are those of the scaled kernel.
    np.testing.assert_allclose(
        found - found.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        rtol=1e-3,
        atol=1e-3,
    )


def test_a_reduced_model_is_as_large_as_its_directions():
    X, y = make_rows(n=200, d=4000)
    model = CalibratedNB(reduce="lda", components=50).fit(X, y)
    assert model.directions_.coef_.shape == (4, 4000)
    assert len(pickle.dumps(model)) < 4 * 4000 * 4 + 20_000


def test_more_components_than_rows_are_as_many_as_there_are():
    X, y = make_rows(n=60)
    assert CalibratedNB(reduce="lda", components=1000, folds=3).fit(X, y).predict(X).shape == (60,)


@parametrize_with_checks([CalibratedNB()], expected_failed_checks=lambda model: EXPECTED_FAILURES)
def test_scikit_learn_takes_it_for_an_estimator(estimator, check):
    check(estimator)


@checks_of_learning(
    CalibratedNB(reduce="pca", components=5), CalibratedNB(reduce="lda", components=5)
)
def test_scikit_learn_takes_it_for_an_estimator_with_a_reduction_too(estimator, check):
    check(estimator)
