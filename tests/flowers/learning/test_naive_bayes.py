"""Naive Bayes: the model of GaussianNB, with probabilities that can be calibrated."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from flowers.learning import naive_bayes
from flowers.learning.naive_bayes import CalibratedNB, LogLikelihoodNB, sample_rows
from flowers.learning.standardisation import BLOCK_COLUMNS
from tests.flowers.learning.estimator_data import (
    make_rows,
)

TOLERANCE = 1e-9


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize(("d", "smoothing"), [(7, 0.1), (BLOCK_COLUMNS + 5, 1e-9)])
def test_log_likelihoods_are_those_of_gaussian_nb(dtype, d, smoothing, classes):
    X, y = make_rows(n=90, d=d, dtype=dtype, classes=classes)
    new, _ = make_rows(n=30, d=d, dtype=dtype, seed=1)
    for rows in (X, new):
        rows[:, 1] = X[0, 1]
    keep = (y != "Lotus") | (np.arange(90) < 30)  # classes of different size
    model = LogLikelihoodNB(smoothing).fit(X[keep], y[keep])
    reference = GaussianNB(var_smoothing=smoothing).fit(X[keep].astype(float), y[keep])
    expected = reference.predict_joint_log_proba(new.astype(float))
    if classes == 2:
        expected = expected[:, 1] - expected[:, 0]
    values = model.decision_function(new) * d
    np.testing.assert_allclose(values, expected, rtol=1e-7 if classes == 2 else TOLERANCE)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_out_of_fold_values_are_those_of_fits_without_the_fold(classes, dtype):
    X, y = make_rows(n=150, d=BLOCK_COLUMNS + 5, classes=classes, dtype=dtype)
    X[:, 3] = X[0, 3]
    folds = list(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y))
    model = LogLikelihoodNB()
    decision = model.fit_with_folds(X, y, folds)
    expected = cross_val_predict(LogLikelihoodNB(), X, y, cv=folds, method="decision_function")
    np.testing.assert_allclose(decision, expected, rtol=TOLERANCE, atol=TOLERANCE)
    reference = LogLikelihoodNB().fit(X, y).decision_function(X)
    np.testing.assert_allclose(model.decision_function(X), reference, TOLERANCE)


def test_features_far_from_zero_lose_no_digits():
    X, y = make_rows(n=90, d=20, dtype="float64")
    model = LogLikelihoodNB().fit(X, y)
    shifted = LogLikelihoodNB().fit(X + 1e6, y)
    np.testing.assert_allclose(shifted.var_, model.var_, rtol=1e-6)


def test_a_class_without_training_rows_in_a_fold_gets_finite_values():
    X, y = make_rows(n=90, d=20)
    lotus = np.flatnonzero(y == "Lotus")
    others = np.flatnonzero(y != "Lotus")
    folds = [(others, lotus), (lotus, others)]
    assert np.isfinite(LogLikelihoodNB().fit_with_folds(X, y, folds)).all()


def test_probabilities_of_many_dependent_columns_are_not_saturated():
    X, y = make_rows(n=300, d=12, shift=12.0)
    X = np.tile(X, (1, 100))
    train = np.s_[:200]
    new = X[200:]
    labels = y[200:]
    reference = GaussianNB().fit(X[train].astype(float), y[train])
    assert np.median(reference.predict_proba(new.astype(float)).max(axis=1)) > 0.999
    model = CalibratedNB().fit(X[train], y[train])
    confidence = model.predict_proba(new).max(axis=1)
    assert confidence.max() < 0.999
    assert abs(confidence.mean() - accuracy_score(labels, model.predict(new))) < 0.1


@pytest.mark.parametrize("reduce", ["pca", "lda"])
def test_a_reduction_is_that_of_scikit_learn(reduce):
    X, y = make_rows(n=200, d=120, dtype="float32")
    train = np.s_[:150]
    new = X[150:]
    model = CalibratedNB(reduce=reduce, components=4).fit(X[train], y[train])
    steps = [PCA(4, svd_solver="full")]
    steps += [LinearDiscriminantAnalysis()] if reduce == "lda" else []
    pipeline = make_pipeline(*steps).fit(X[train].astype(float), y[train])
    reduced, reduced_new = (pipeline.transform(rows.astype(float)) for rows in (X[train], new))
    reference = GaussianNB().fit(reduced, y[train])
    expected = reference.predict_joint_log_proba(reduced_new) / reduced.shape[1]
    decision = model.decision_function(new)
    # The components have the scale of the kernel, which adds a constant.
    decision -= decision.mean(axis=1, keepdims=True)
    expected -= expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(decision, expected, rtol=1e-3, atol=1e-3)


def test_the_number_of_components_is_limited_by_the_rows():
    X, y = make_rows(n=60)
    model = CalibratedNB(reduce="lda", components=1000, folds=3).fit(X, y)
    assert model.predict(X).shape == (60,)


def test_a_sample_has_the_shares_of_the_classes_and_distinct_pictures_first():
    y = np.repeat(["Lotus", "Tulip", "Orchid"], [600, 300, 4])
    groups = np.arange(904) // 3
    rows = sample_rows(y, groups, 90, 3, seed=0)
    assert dict(zip(*np.unique(y[rows], return_counts=True), strict=True)) == {
        "Lotus": 60,
        "Tulip": 30,
        "Orchid": 3,
    }
    flowers = rows[y[rows] != "Orchid"]
    assert len(np.unique(groups[flowers])) == 90
    assert (rows == sample_rows(y, groups, 90, 3, seed=0)).all()
    assert (rows != sample_rows(y, groups, 90, 3, seed=1)).any()


def test_a_reduction_of_many_rows_is_learned_from_a_sample(monkeypatch):
    X, y = make_rows(n=400, d=120)
    whole = CalibratedNB(reduce="lda", components=4).fit(X, y)
    monkeypatch.setattr(naive_bayes, "SAMPLE", 150)
    model = CalibratedNB(reduce="lda", components=4).fit(X, y)
    assert len(whole.out_of_fold_decision_) == 400 and len(model.out_of_fold_decision_) == 150
    assert accuracy_score(y, model.predict(X)) > 0.9
