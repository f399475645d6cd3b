"""Demands on machines that are linear in the features: one weight vector says all they say."""

import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.sdca import StreamedSVC
from flowers.learning.svm import GramSVC, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    assert_the_label_is_the_most_probable_class,
    checks_of_learning,
    make_rows,
)

TOLERANCE = 1e-3


def halves(classes=5, dtype="uint8", d=60):
    X, y = make_rows(n=240, d=d, classes=classes, dtype=dtype)
    X[:, 3] = X[0, 3]
    return X[:160], y[:160], X[160:], y[160:]


def prepared(X, new, standardise):
    """Both as the machine sees them: standardised or not, and of length 1 on average."""
    X, new = X.astype(float), new.astype(float)
    if standardise:
        scaler = StandardScaler().fit(X)
        X, new = scaler.transform(X), scaler.transform(new)
    size = np.sqrt((X**2).sum(axis=1).mean())
    return X / size, new / size


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("multiclass", ["ovo", "ovr"])
@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_decision_values_are_those_of_plain_svc(dtype, standardise, multiclass, classes):
    X, y, new, _ = halves(classes, dtype)
    params = {"C": 2.0, "standardise": standardise, "multiclass": multiclass}
    found = GramSVC(kernel="linear", **params).fit(X, y).decision_function(new)
    plain = SVC(kernel="linear", C=2.0, decision_function_shape="ovo")
    plain = OneVsRestClassifier(plain) if multiclass == "ovr" else plain
    seen, asked = prepared(X, new, standardise)
    expected = plain.fit(seen, y).decision_function(asked)
    if multiclass == "ovo" and classes > 2:
        expected = sum_votes_and_margins(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("standardise", [True, False])
def test_one_class_against_the_rest_works_with_the_rbf_kernel_too(standardise):
    X, y, new, _ = halves()
    model = GramSVC(multiclass="ovr", standardise=standardise).fit(X, y)
    plain = OneVsRestClassifier(SVC(gamma=model.gamma_))
    scaler = StandardScaler(with_mean=standardise, with_std=standardise).fit(X.astype(float))
    plain.fit(scaler.transform(X.astype(float)), y)
    expected = plain.decision_function(scaler.transform(new.astype(float)))
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_gamma_scale_without_standardising_is_that_of_plain_svc(dtype):
    X, y, _, _ = halves(dtype=dtype)
    expected = 1 / (X.shape[1] * X.astype(float).var())
    assert GramSVC(standardise=False).fit(X, y).gamma_ == pytest.approx(expected, rel=1e-9)


def test_c_means_the_same_for_features_of_any_length():
    X, y, new, _ = halves(dtype="float64")
    short, long = (
        GramSVC(kernel="linear", standardise=False).fit(X * k, y).decision_function(new * k)
        for k in (1e-3, 1e3)
    )
    np.testing.assert_allclose(short, long, rtol=1e-3, atol=1e-3)


def test_the_model_is_as_large_as_its_weight_vectors():
    X, y, _, _ = halves(d=4000)
    model = GramSVC(kernel="linear", multiclass="ovr").fit(X, y)
    assert model.classifier_.coef_.shape == (5, 4000)
    assert len(pickle.dumps(model)) < 5 * 4000 * 4 + 20_000


def test_one_row_is_answered_as_in_a_batch():
    X, y, new, _ = halves()
    model = GramSVC(kernel="linear", multiclass="ovr").fit(X, y)
    one_by_one = np.concatenate([model.predict_proba(row[None]) for row in new])
    np.testing.assert_allclose(one_by_one, model.predict_proba(new), rtol=0, atol=1e-9)


def test_mirror_images_in_the_group_of_their_photo_are_never_held_out_apart():
    # Labels mean nothing here: only a twin in train could tell them.
    generator = np.random.default_rng(0)
    X = generator.normal(size=(100, 300))
    y, group = np.tile(["a", "b"], 50), np.arange(100)
    both = np.vstack([X, X + generator.normal(size=X.shape) / 10])
    apart = GramSVC().fit(both, np.tile(y, 2))
    together = GramSVC().fit(both, np.tile(y, 2), np.tile(group, 2))
    assert apart.out_of_fold_accuracy_ > 0.8
    assert together.out_of_fold_accuracy_ < 0.7


@pytest.mark.parametrize("multiclass", ["ovo", "ovr"])
def test_the_label_is_the_most_probable_class(multiclass):
    X, y, new, truth = halves()
    model = GramSVC(kernel="linear", multiclass=multiclass).fit(X, y)
    assert_the_label_is_the_most_probable_class(model, new, truth)


@checks_of_learning(
    GramSVC(kernel="linear", standardise=False, multiclass="ovr"), GramSVC(kernel="linear")
)
def test_scikit_learn_takes_it_for_an_estimator(estimator, check):
    check(estimator)


MACHINES = {
    "gram": partial(GramSVC, kernel="linear"),
    "gram ovr": partial(GramSVC, kernel="linear", multiclass="ovr"),
    "sgd": partial(StreamedSVC, kernel="linear"),
    "naive Bayes": CalibratedNB,
    "naive Bayes of components": partial(CalibratedNB, reduce="pca", components=20),
    "naive Bayes of directions": partial(CalibratedNB, reduce="lda", components=20),
}


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("machine", MACHINES)
def test_a_few_rows_together_have_the_bits_of_each_alone(machine, classes):
    X, y, new, _ = halves(classes, "float32", d=3000)
    model = MACHINES[machine](folds=2).fit(X, y)
    alone = np.concatenate([model.predict_proba(row[None]) for row in new[:BATCH_INVARIANT_ROWS]])
    for count in (2, 3, 4, 5, 8, 17, BATCH_INVARIANT_ROWS):
        for some in (new[:count], np.asfortranarray(new[:count])):
            np.testing.assert_array_equal(model.predict_proba(some), alone[:count])
