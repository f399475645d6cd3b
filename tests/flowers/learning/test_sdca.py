"""Demands on StreamedSVC: the machine of LinearSVC, rows left on the disk, an estimator."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from flowers.base.errors import BadInput
from flowers.learning import sdca
from flowers.learning.folds import make_grouped_folds
from flowers.learning.sdca import OutOfCoreMatrix, StreamedSVC
from flowers.learning.svm import GramSVC, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    assert_the_label_is_the_most_probable_class,
    checks_of_learning,
    make_rows,
)
from tests.flowers.learning.test_linear import halves, prepared

TOLERANCE = 2e-3


@pytest.fixture
def exact(monkeypatch):
    """As many passes as it takes to be like a solver that goes to the end."""
    monkeypatch.setattr(sdca, "GAP", 1e-6)
    monkeypatch.setattr(sdca, "PASSES", 2000)


def plain(C=2.0):
    return LinearSVC(loss="hinge", C=C, tol=1e-9, max_iter=1_000_000, random_state=0)


def pairs(X, y, new):
    """Decision values of a LinearSVC for each pair of classes, the first of them positive."""
    classes, values = np.unique(y), []
    for i, first in enumerate(classes):
        for second in classes[i + 1 :]:
            some = (y == first) | (y == second)
            machine = plain().fit(X[some], y[some] == first)
            values.append(machine.decision_function(new))
    return np.column_stack(values)


@pytest.mark.parametrize(
    ("dtype", "standardise", "multiclass", "classes"),
    [
        ("uint8", True, "ovo", 5),
        ("uint8", True, "ovr", 5),
        ("uint8", True, "ovr", 2),
        ("float32", False, "ovr", 2),
    ],
)
@pytest.mark.usefixtures("exact")
def test_decision_values_are_those_of_linear_svc(dtype, standardise, multiclass, classes):
    X, y, new, _ = halves(classes, dtype)
    model = StreamedSVC(C=2.0, standardise=standardise, multiclass=multiclass).fit(X, y)
    seen, asked = prepared(X, new, standardise)
    expected = plain().fit(seen, y).decision_function(asked)
    if multiclass == "ovo" and classes > 2:
        expected = sum_votes_and_margins(pairs(seen, y, asked))
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.usefixtures("exact")
def test_a_row_is_held_out_by_a_fit_that_never_saw_its_fold():
    X, y, _, _ = halves(dtype="float64")
    groups = np.arange(len(X)) // 2
    model = StreamedSVC(C=2.0, standardise=False, multiclass="ovr").fit(X, y, groups)
    seen, _ = prepared(X, X, standardise=False)
    cv = make_grouped_folds(y, groups, 5, 0)
    expected = cross_val_predict(plain(), seen, y, cv=cv, method="decision_function")
    np.testing.assert_allclose(model.out_of_fold_decision_, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("multiclass", ["ovo", "ovr"])
def test_without_the_last_passes_labels_are_those_of_the_gram_matrix(multiclass):
    X, y = make_rows(n=900, d=300)
    X, y, new, truth = X[:600], y[:600], X[600:], y[600:]
    params = {"C": 2.0, "kernel": "linear", "multiclass": multiclass}
    streamed, gram = (kind(**params).fit(X, y) for kind in (StreamedSVC, GramSVC))
    assert 0 <= streamed.gap_ <= 0.05
    assert np.mean(streamed.predict(new) == gram.predict(new)) > 0.97
    right = [accuracy_score(truth, model.predict(new)) for model in (streamed, gram)]
    assert right[0] == pytest.approx(right[1], abs=0.02)


def test_lists_of_c_are_tuned_as_on_the_gram_matrix():
    X, y = make_rows(n=150)
    params = {"kernel": "linear", "multiclass": "ovr", "C": [0.01, 1.0], "gamma": ["scale", 1e-2]}
    streamed, gram = (kind(**params).fit(X, y) for kind in (StreamedSVC, GramSVC))
    assert [list(row) for row in streamed.tuning_] == [list(row) for row in gram.tuning_]
    for ours, theirs in zip(streamed.tuning_, gram.tuning_, strict=True):
        assert ours["gamma"] == pytest.approx(theirs["gamma"], rel=1e-4)
        for key in ("C", "grouped", "random"):
            assert ours[key] == pytest.approx(theirs[key], abs=0.05)
    assert streamed.C_ in params["C"]
    assert sum(row["chosen"] for row in streamed.tuning_) == 1


def test_files_are_read_where_they_lie_and_below_one_another(tmp_path):
    X, y = make_rows(n=300)
    mirrored = X[:, ::-1].copy()
    for name, array in {"X": X, "mirrored": mirrored}.items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "mirrored")]
    train = np.flatnonzero(np.arange(300) % 4 > 0)
    y, groups = np.tile(y[train], 2), np.tile(np.arange(len(train)), 2)
    whole = np.vstack([X[train], mirrored[train]])
    from_memory = StreamedSVC().fit(whole, y, groups)
    from_files = StreamedSVC().fit(OutOfCoreMatrix(mapped, train), y, groups)
    assert from_files.predict_proba(X).tobytes() == from_memory.predict_proba(X).tobytes()


def test_the_rows_are_never_in_memory_together(tmp_path, monkeypatch):
    monkeypatch.setattr(sdca, "PASSES", 1)
    X = np.random.default_rng(0).integers(-127, 128, (6000, 4000), np.int8)
    np.save(tmp_path / "X.npy", X)
    size, y = X.nbytes, np.arange(len(X)) % 2
    del X
    tracemalloc.start()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    StreamedSVC(folds=2).fit(OutOfCoreMatrix([mapped], np.arange(len(y))), y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.8 * size


@pytest.mark.parametrize("calibration", ["temperature", "sigmoid", "isotonic"])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_label_is_the_most_probable_class(classes, calibration):
    X, y, new, truth = halves(classes)
    model = StreamedSVC(calibration=calibration).fit(X, y)
    assert_the_label_is_the_most_probable_class(model, new, truth)


def test_the_model_is_one_weight_vector_per_class():
    X, y, _, _ = halves(d=4000)
    model = StreamedSVC(multiclass="ovr").fit(X, y)
    assert model.classifier_.coef_.shape == (5, 4000)
    assert not any(np.shape(value)[:1] == X.shape for value in vars(model).values())


def test_another_seed_is_another_order_and_the_same_seed_the_same_bits():
    X, y, _, _ = halves()
    read, sides = OutOfCoreMatrix([X], np.arange(len(X))), np.where(y == y[0], 1, -1)[:, None]
    first, again, other = (sdca.solve_sdca(read, sides, 1e-6, seed)[0] for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_kernel_that_is_not_linear_is_refused_by_name():
    X, y = make_rows()
    with pytest.raises(BadInput, match="rbf") as caught:
        StreamedSVC(kernel="rbf").fit(X, y)
    assert len(str(caught.value).splitlines()) == 1


def test_a_clone_has_the_knobs_and_nothing_learnt():
    X, y = make_rows()
    model = StreamedSVC(C=3.0, multiclass="ovr", folds=4, seed=7).fit(X, y)
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(clone(model), "classifier_")


@parametrize_with_checks(
    [StreamedSVC()],
    expected_failed_checks=lambda model: {
        "check_fit2d_1feature": "three rows of a class are refused: they cannot fill five folds"
    },
)
def test_scikit_learn_takes_it_for_an_estimator(estimator, check):
    check(estimator)


@checks_of_learning(StreamedSVC(multiclass="ovr", standardise=False))
def test_its_other_form_learns_and_answers_like_an_estimator(estimator, check):
    check(estimator)
