"""Demands on tuning: chosen without what is asked about, and no praise for memory."""

import joblib
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale as standardised
from sklearn.svm import SVC

from flowers.base.errors import BadInput
from flowers.learning.calibration import choose_labels
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from flowers.learning.tuning import Tuning
from tests.flowers.learning.estimator_data import make_rows

CS = [0.1, 1.0, 100.0]


def tuned(X, y, groups, Cs=CS, folds=4):
    tuning = Tuning(y, groups, folds, 0)
    for C in Cs:
        tuning.evaluate_candidate({"C": C}, SVC(C=C), X, choose_labels)
    return tuning


def twins(n=60, copies=4, noise=0.02):
    """Pictures without a class, each several times over: all there is to learn is memory."""
    rng = np.random.default_rng(0)
    pictures, labels = rng.normal(size=(n, 30)), np.arange(n) % 3
    X = pictures.repeat(copies, axis=0)
    groups = np.arange(n).repeat(copies)
    return X + noise * rng.normal(size=X.shape), labels.repeat(copies), groups


def test_the_table_has_the_accuracy_that_cross_validation_gives():
    X, y = make_rows(n=120)
    groups = np.arange(120) // 2
    cv = make_grouped_folds(y, groups, 4, 0)
    for row in tuned(X, y, groups).table:
        scores = cross_val_score(SVC(C=row["C"]), X, y, cv=cv)
        weights = [len(held_out) for _, held_out in cv]
        assert row["grouped"] == pytest.approx(np.average(scores, weights=weights))


def test_a_gram_matrix_is_cut_into_folds_as_rows_are():
    X, y = make_rows(n=120)
    X = X.astype(float)
    by_rows, by_gram = (Tuning(y, None, 4, 0) for _ in range(2))
    for C in CS:
        by_rows.evaluate_candidate({"C": C}, SVC(C=C, kernel="linear"), X, choose_labels)
        by_gram.evaluate_candidate({"C": C}, SVC(C=C, kernel="precomputed"), X @ X.T, choose_labels)
    assert by_rows.table == by_gram.table
    assert by_rows.nested_accuracy == by_gram.nested_accuracy


def test_random_folds_praise_memory_and_grouped_ones_do_not():
    X, y, groups = twins()
    table = tuned(X, y, groups).table
    assert max(row["random"] for row in table) > 0.9
    assert max(row["grouped"] for row in table) < 0.5
    assert sum(row["chosen"] for row in table) == 1


def test_the_nested_accuracy_is_not_the_highest_of_many():
    """With labels that nothing tells, the best of many machines looks good and is not."""
    rng = np.random.default_rng(0)
    excess = []
    for _ in range(5):
        X, y = rng.normal(size=(60, 5)), rng.permutation(60) % 2
        tuning = Tuning(y, None, 4, 0)
        for gamma in np.geomspace(0.001, 10, 8):
            tuning.evaluate_candidate({"gamma": gamma}, SVC(gamma=gamma), X, choose_labels)
        best = max(row["grouped"] for row in tuning.table)
        excess.append(best - tuning.nested_accuracy)
    assert np.mean(excess) > 0.03


def test_the_nested_accuracy_is_that_of_choosing_by_hand():
    X, y = make_rows(n=120, shift=6.0)
    tuning = tuned(X, y, None)
    right, folds = [], make_grouped_folds(y, np.arange(120), 4, 0)
    for train, held_out in folds:
        inner = [
            (np.setdiff1d(train, other), other)
            for _, other in folds
            if not np.array_equal(other, held_out)
        ]
        found = []
        for C in CS:
            answers = [SVC(C=C).fit(X[a], y[a]).predict(X[b]) == y[b] for a, b in inner]
            found.append(np.concatenate(answers).mean())
        best = SVC(C=CS[int(np.argmax(found))]).fit(X[train], y[train])
        right.append(best.predict(X[held_out]) == y[held_out])
    # SVC votes where the decision values of `evaluate_candidate` are squashed margins: ties may differ.
    assert tuning.nested_accuracy == pytest.approx(np.concatenate(right).mean(), abs=0.02)


def test_of_equals_the_smallest_is_chosen():
    X, y = make_rows(n=120, shift=80.0)
    assert tuned(X, y, None, Cs=[10.0, 1.0, 3.0]).best_params == {"C": 1.0}


def test_the_number_of_workers_changes_nothing():
    X, y, groups = twins(30)
    with joblib.parallel_config("threading", n_jobs=3):
        many = tuned(X, y, groups)
    one = tuned(X, y, groups)
    assert many.table == one.table and many.nested_accuracy == one.nested_accuracy


def test_two_folds_are_too_few_to_choose():
    X, y = make_rows()
    with pytest.raises(BadInput, match="folds is 2"):
        GramSVC(C=CS, folds=2).fit(X, y)


def test_a_class_that_is_gone_with_two_folds_is_no_crash():
    """Three groups of class b, one of them with twins filed under a, end up in two folds."""
    sizes = [5, 5, 7, 4, 1, 2, 2, 5, 3, 3, 1, 5]
    groups = np.arange(12).repeat(sizes)
    y = np.where(groups < 3, "b", "a")
    y[1:5] = "a"
    fold = np.empty(len(y), dtype=int)
    for number, (_, held_out) in enumerate(make_grouped_folds(y, groups, 3, 0)):
        fold[held_out] = number
    assert any(len(set(y[fold == number])) == 1 for number in range(3))
    X = np.random.default_rng(0).normal(size=(len(y), 4))
    table = tuned(X, y, groups, folds=3).table
    assert all(0 <= row["grouped"] <= 1 for row in table)


def test_the_estimator_fits_what_it_chose_and_reports_the_nested_accuracy():
    X, y, groups = twins(60, noise=0.5)
    model = GramSVC(C=CS, gamma=["scale", 1e-4], folds=4).fit(X, y, groups)
    assert len(model.tuning_) == 6
    (row,) = [row for row in model.tuning_ if row["chosen"]]
    assert (row["C"], row["gamma"]) == (model.C_, model.gamma_)
    assert model.classifier_.C == model.C_
    assert row["grouped"] == max(r["grouped"] for r in model.tuning_)
    tuning = Tuning(y, groups, 4, 0)
    for r in model.tuning_:
        gram = np.exp(-r["gamma"] * cdist(standardised(X), standardised(X), "sqeuclidean"))
        machine = SVC(C=r["C"], kernel="precomputed", decision_function_shape="ovo")
        tuning.evaluate_candidate({"C": r["C"], "gamma": r["gamma"]}, machine, gram, model._labels)
    assert model.out_of_fold_accuracy_ == pytest.approx(tuning.nested_accuracy, abs=0.02)
    plain = GramSVC(C=model.C_, gamma=model.gamma_, folds=4).fit(X, y, groups)
    np.testing.assert_array_equal(plain.predict_proba(X), model.predict_proba(X))
    assert plain.tuning_ == [] and plain.out_of_fold_accuracy_ == pytest.approx(row["grouped"])
