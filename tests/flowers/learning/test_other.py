"""Any classifier of scikit-learn gets calibrated probabilities of the same bits everywhere."""

import warnings

import joblib
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from flowers.base.errors import BadInput
from flowers.base.parallel import use_workers
from flowers.learning.other import CalibratedOther
from flowers.learning.persistence import load_model, save_model

# One for each method that decision values come from, and for each kind of parallel work inside.
CLASSIFIERS = [
    DummyClassifier(),
    ExtraTreesClassifier(10, random_state=0),
    GaussianNB(),
    HistGradientBoostingClassifier(max_iter=3, random_state=0),
    KNeighborsClassifier(),
    LinearDiscriminantAnalysis(),
    LinearSVC(random_state=0),
    LogisticRegression(max_iter=5),
    MLPClassifier(max_iter=150, random_state=0),
    MultinomialNB(),
    NearestCentroid(),
    OutputCodeClassifier(DecisionTreeClassifier(random_state=0), random_state=0),
    RandomForestClassifier(10, min_samples_leaf=3, random_state=0),
    RidgeClassifier(),
    SVC(),
]
NAMES = [type(classifier).__name__ for classifier in CLASSIFIERS]


def make_bytes(classes=3, per_class=40, dtype=np.uint8):
    """Rows like pixels whose classes differ in mean, and labels."""
    rng = np.random.default_rng(0)
    y = np.repeat([f"class {k}" for k in range(classes)], per_class)
    centres = rng.integers(60, 180, (classes, 20))
    X = np.repeat(centres, per_class, axis=0) + rng.normal(0, 30, (len(y), 20))
    return np.clip(X, 0, 127 if dtype == np.int8 else 255).astype(dtype), y


def fit(classifier, X, y, jobs=1):
    with warnings.catch_warnings(), use_workers(jobs, "threading"):
        warnings.simplefilter("ignore")  # few iterations
        return CalibratedOther(classifier, folds=3).fit(X, y)


@pytest.mark.parametrize(
    "dtype", [np.int8, *(pytest.param(d, marks=pytest.mark.slow) for d in (np.uint8, np.float32))]
)
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_probabilities_have_the_same_bits_for_any_workers_and_batch(classifier, dtype, tmp_path):
    X, y = make_bytes(dtype=dtype)
    model = fit(classifier, X, y, jobs=1)
    save_model(fit(classifier, X, y, jobs=2), tmp_path / "model")
    stored = load_model(tmp_path / "model", mapped=True)
    expected = model.predict_proba(X)
    assert np.allclose(expected.sum(axis=1), 1)
    with joblib.parallel_config("threading", n_jobs=2):
        assert np.array_equal(stored.predict_proba(X), expected)
    batch = model.predict_proba(X[30:50])
    single = [stored.predict_proba(X[i : i + 1])[0] for i in range(30, 50)]
    assert np.array_equal(batch, single)
    assert np.allclose(batch, expected[30:50], rtol=0, atol=1e-4)
    if not isinstance(classifier, DummyClassifier):
        assert np.mean(model.predict(X) == y) > 0.6
        assert model.out_of_fold_accuracy_ > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=NAMES)
def test_two_classes_have_one_decision_value(classifier):
    X, y = make_bytes(classes=2)
    model = fit(classifier, X, y)
    assert model.decision_function(X).shape == (len(X),)
    if not isinstance(classifier, DummyClassifier):
        assert np.mean(model.predict(X) == y) > 0.8


def test_decision_values_that_are_no_numbers_are_refused():
    class Broken(LogisticRegression):
        def decision_function(self, X):
            return np.full((len(X), 3), np.nan)

    with pytest.raises(BadInput, match="Broken.*finite"):
        fit(Broken(), *make_bytes())


def test_a_description_is_the_class_with_the_parameters_that_differ():
    model = CalibratedOther(ExtraTreesClassifier(300, random_state=0))
    assert model.describe() == "ExtraTreesClassifier(n_estimators=300, random_state=0)"
