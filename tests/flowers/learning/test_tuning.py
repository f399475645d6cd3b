"""Tuning: grouped folds, a nested accuracy without selection bias, reproducible choices."""

import joblib
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale
from sklearn.svm import SVC

from flowers.base.errors import BadInput
from flowers.learning.calibration import choose_labels
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from flowers.learning.tuning import Tuning
from tests.flowers.learning.estimator_data import make_duplicates, make_rows

CS = [0.1, 1.0, 100.0]


def start_tuning(y, groups=None, folds=4):
    groups = np.arange(len(y)) if groups is None else groups
    return Tuning(y, make_grouped_folds(y, groups, folds, 0), 0)


def tune(X, y, groups=None, Cs=CS, folds=4):
    tuning = start_tuning(y, groups, folds)
    for C in Cs:
        tuning.evaluate_candidate({"C": C}, SVC(C=C), X, choose_labels)
    return tuning


def test_the_table_has_the_accuracy_of_cross_validation():
    X, y = make_rows(n=120)
    groups = np.arange(120) // 2
    cv = make_grouped_folds(y, groups, 4, 0)
    for row in tune(X, y, groups).table:
        scores = cross_val_score(SVC(C=row["C"]), X, y, cv=cv)
        weights = [len(test) for _, test in cv]
        assert row["grouped"] == pytest.approx(np.average(scores, weights=weights))


def test_near_duplicates_inflate_the_accuracy_on_random_folds_only():
    table = tune(*make_duplicates()).table
    assert max(row["random"] for row in table) > 0.9
    assert max(row["grouped"] for row in table) < 0.5
    assert sum(row["chosen"] for row in table) == 1


def test_the_nested_accuracy_is_that_of_nested_cross_validation():
    X, y = make_rows(n=120, shift=6.0)
    tuning = tune(X, y)
    correct = []
    folds = make_grouped_folds(y, np.arange(120), 4, 0)
    for train, test in folds:
        inner = [(np.setdiff1d(train, t), t) for _, t in folds if not np.array_equal(t, test)]
        accuracies = []
        for C in CS:
            parts = [SVC(C=C).fit(X[a], y[a]).predict(X[b]) == y[b] for a, b in inner]
            accuracies.append(np.concatenate(parts).mean())
        best = SVC(C=CS[int(np.argmax(accuracies))]).fit(X[train], y[train])
        correct.append(best.predict(X[test]) == y[test])
    # SVC.predict counts votes, the candidates squashed margins: ties may differ.
    assert tuning.nested_accuracy == pytest.approx(np.concatenate(correct).mean(), abs=0.02)


def test_the_smallest_of_equally_accurate_candidates_is_chosen():
    X, y = make_rows(n=120, shift=80.0)
    assert tune(X, y, Cs=[10.0, 1.0, 3.0]).best_params == {"C": 1.0}


def test_the_number_of_workers_changes_nothing():
    X, y, groups = make_duplicates(30)
    with joblib.parallel_config("threading", n_jobs=3):
        parallel = tune(X, y, groups)
    serial = tune(X, y, groups)
    assert parallel.table == serial.table and parallel.nested_accuracy == serial.nested_accuracy


def test_two_folds_are_too_few_to_choose():
    X, y = make_rows()
    with pytest.raises(BadInput, match="folds is 2"):
        GramSVC(C=CS, folds=2).fit(X, y)


def test_training_rows_of_one_class_are_allowed():
    """Three groups of class b, one with near-duplicates labelled a, are all in two folds."""
    sizes = [5, 5, 7, 4, 1, 2, 2, 5, 3, 3, 1, 5]
    groups = np.arange(12).repeat(sizes)
    y = np.where(groups < 3, "b", "a")
    y[1:5] = "a"
    folds = make_grouped_folds(y, groups, 3, 0)
    assert any(len(set(y[test])) == 1 for _, test in folds)
    X = np.random.default_rng(0).normal(size=(len(y), 4))
    table = tune(X, y, groups, folds=3).table
    assert all(0 <= row["grouped"] <= 1 for row in table)


def test_the_estimator_fits_the_chosen_candidate_and_reports_the_nested_accuracy():
    X, y, groups = make_duplicates(60, noise=0.5)
    model = GramSVC(C=CS, gamma=["scale", 1e-4], folds=4).fit(X, y, groups)
    assert len(model.tuning_) == 6
    (chosen,) = [row for row in model.tuning_ if row["chosen"]]
    assert (chosen["C"], chosen["gamma"]) == (model.C_, model.gamma_)
    assert model.classifier_.C == model.C_
    assert chosen["grouped"] == max(row["grouped"] for row in model.tuning_)
    tuning = start_tuning(y, groups)
    for row in model.tuning_:
        params = {"C": row["C"], "gamma": row["gamma"]}
        gram = np.exp(-row["gamma"] * cdist(scale(X), scale(X), "sqeuclidean"))
        svc = SVC(C=row["C"], kernel="precomputed", decision_function_shape="ovo")
        tuning.evaluate_candidate(params, svc, gram, model._to_labels)
    assert model.out_of_fold_accuracy_ == pytest.approx(tuning.nested_accuracy, abs=0.02)
    single = GramSVC(C=model.C_, gamma=model.gamma_, folds=4).fit(X, y, groups)
    np.testing.assert_array_equal(single.predict_proba(X), model.predict_proba(X))
    assert single.tuning_ == []
    assert single.out_of_fold_accuracy_ == pytest.approx(chosen["grouped"])
