"""Calibration: out-of-fold decision values, grouped folds, labels of any type."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from flowers.base.errors import BadInput
from flowers.learning.calibration import choose_labels
from flowers.learning.folds import make_grouped_folds
from flowers.learning.naive_bayes import CalibratedNB, LogLikelihoodNB
from flowers.learning.svm import GramSVC
from tests.flowers.learning.estimator_data import make_duplicates, make_rows

ESTIMATORS = [GramSVC, CalibratedNB]


def test_the_highest_decision_value_gives_the_label():
    classes = np.array(["a", "b", "c"])
    assert choose_labels(classes, np.array([[0, 2, 1], [3, 0, 0]])).tolist() == ["b", "a"]
    assert choose_labels(classes[:2], np.array([-0.5, 0.5])).tolist() == ["a", "b"]


def test_groups_prevent_leakage_between_near_duplicates():
    X, y, groups = make_duplicates(200, 3, noise=0.0)
    random = GramSVC(C=100.0).fit(X, y)
    grouped = GramSVC(C=100.0).fit(X, y, groups)
    assert random.out_of_fold_accuracy_ > 0.95 and grouped.out_of_fold_accuracy_ < 0.65
    assert random.predict_proba(X).max(axis=1).mean() > 0.9
    assert grouped.predict_proba(X).max(axis=1).mean() < 0.65
    assert len(grouped.calibration_.cv) == 5
    for train, test in grouped.calibration_.cv:
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("seed", [0, 3])
def test_the_temperature_minimises_the_out_of_fold_log_loss(seed):
    X, y = make_rows(shift=12.0)
    groups = np.arange(len(y)) // 10
    decision = np.empty((len(y), 5))
    for train, test in make_grouped_folds(y, groups, 5, seed):
        decision[test] = LogLikelihoodNB().fit(X[train], y[train]).decision_function(X[test])
    index = np.unique(y, return_inverse=True)[1]

    def log_loss(log_beta):
        return -log_softmax(np.exp(log_beta) * decision, axis=1)[np.arange(len(y)), index].mean()

    beta = np.exp(minimize_scalar(log_loss, bounds=(-10, 10)).x)
    model = CalibratedNB(seed=seed).fit(X, y, groups)
    expected = softmax(beta * model.decision_function(X), axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-4)
    accuracy = np.mean(decision.argmax(axis=1) == index)
    assert model.out_of_fold_accuracy_ == pytest.approx(accuracy)


@pytest.mark.parametrize("calibration", ["temperature", "sigmoid", "isotonic"])
@pytest.mark.parametrize("names", [[3, 7], [-1, 0], [False, True], ["a", "b"], [0.0, 2.0]])
def test_the_names_of_the_classes_do_not_change_the_probabilities(names, calibration):
    X, y = make_rows(classes=2, d=10)
    index = np.unique(y, return_inverse=True)[1]
    expected = CalibratedNB(calibration=calibration).fit(X, index).predict_proba(X)
    model = CalibratedNB(calibration=calibration).fit(X, np.array(names)[index])
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.classes_.tolist() == names
    assert set(model.predict(X)) <= set(names)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_seed_changes_the_folds(estimator):
    X, y = make_rows(shift=8.0)
    first, second = (estimator(seed=seed).fit(X, y).predict_proba(X) for seed in (0, 1))
    assert (first != second).any()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_one_class_and_a_class_too_small_for_the_folds_are_refused_by_name(estimator):
    X, y = make_rows()
    with pytest.raises(BadInput, match="Lotus"):
        estimator().fit(X, np.full(len(X), "Lotus"))
    with pytest.raises(BadInput, match="Lilly"):
        estimator().fit(X, y, groups=np.where(y == "Lilly", 0, np.arange(len(y))))
