"""StreamedSVC: the decision values of LinearSVC, rows left on disk, a scikit-learn estimator."""

import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_predict
from sklearn.svm import LinearSVC

from flowers.base.errors import BadInput
from flowers.learning import sdca
from flowers.learning.folds import make_grouped_folds
from flowers.learning.sdca import OutOfCoreMatrix, StreamedSVC
from flowers.learning.svm import GramSVC, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    make_rows,
    make_train_and_test,
    prepare_linear,
)

TOLERANCE = 2e-3


@pytest.fixture
def converged(monkeypatch):
    """As many passes as a solver needs that continues to the optimum."""
    monkeypatch.setattr(sdca, "GAP", 1e-6)
    monkeypatch.setattr(sdca, "PASSES", 2000)


def make_reference():
    return LinearSVC(loss="hinge", C=2.0, tol=1e-9, max_iter=1_000_000, random_state=0)


def compute_pairwise(X, y, new):
    """Decision values of a LinearSVC for each pair of classes, the first of them positive."""
    classes = np.unique(y)
    values = []
    for i, first in enumerate(classes):
        for second in classes[i + 1 :]:
            pair = (y == first) | (y == second)
            reference = make_reference().fit(X[pair], y[pair] == first)
            values.append(reference.decision_function(new))
    return np.column_stack(values)


@pytest.mark.parametrize(
    ("dtype", "standardise", "multiclass", "classes"),
    [
        ("uint8", True, "ovo", 5),
        ("uint8", True, "ovr", 2),
        pytest.param("float32", False, "ovr", 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("converged")
def test_decision_values_are_those_of_linear_svc(dtype, standardise, multiclass, classes):
    X, y, new, _ = make_train_and_test(classes, dtype)
    model = StreamedSVC(C=2.0, standardise=standardise, multiclass=multiclass).fit(X, y)
    train, test = prepare_linear(X, new, standardise)
    if multiclass == "ovo" and classes > 2:
        expected = sum_votes_and_margins(compute_pairwise(train, y, test))
    else:
        expected = make_reference().fit(train, y).decision_function(test)
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.usefixtures("converged")
def test_out_of_fold_values_are_those_of_cross_validation():
    X, y, _, _ = make_train_and_test(dtype="float64")
    groups = np.arange(len(X)) // 2
    model = StreamedSVC(C=2.0, standardise=False, multiclass="ovr").fit(X, y, groups)
    train, _ = prepare_linear(X, X, standardise=False)
    cv = make_grouped_folds(y, groups, 5, 0)
    expected = cross_val_predict(make_reference(), train, y, cv=cv, method="decision_function")
    np.testing.assert_allclose(model.out_of_fold_decision_, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("multiclass", ["ovo", "ovr"])
def test_labels_at_the_default_gap_are_those_of_the_gram_matrix(multiclass):
    X, y = make_rows(n=900, d=300)
    train = np.s_[:600]
    new = X[600:]
    labels = y[600:]
    params = {"C": 2.0, "kernel": "linear", "multiclass": multiclass}
    streamed, gram = (
        estimator(**params).fit(X[train], y[train]) for estimator in (StreamedSVC, GramSVC)
    )
    assert 0 <= streamed.gap_ <= 0.05
    assert np.mean(streamed.predict(new) == gram.predict(new)) > 0.97
    accuracies = [accuracy_score(labels, model.predict(new)) for model in (streamed, gram)]
    assert accuracies[0] == pytest.approx(accuracies[1], abs=0.02)


def test_lists_of_c_are_tuned_as_on_the_gram_matrix():
    X, y = make_rows(n=150)
    params = {"kernel": "linear", "multiclass": "ovr", "C": [0.01, 1.0], "gamma": ["scale", 1e-2]}
    streamed, gram = (estimator(**params).fit(X, y) for estimator in (StreamedSVC, GramSVC))
    for ours, theirs in zip(streamed.tuning_, gram.tuning_, strict=True):
        assert list(ours) == list(theirs)
        assert ours["gamma"] == pytest.approx(theirs["gamma"], rel=1e-4)
        for key in ("C", "grouped", "random"):
            assert ours[key] == pytest.approx(theirs[key], abs=0.05)
    assert streamed.C_ in params["C"]
    assert sum(row["chosen"] for row in streamed.tuning_) == 1


def test_rows_of_several_files_are_concatenated(tmp_path):
    X, y = make_rows(n=300)
    mirrored = X[:, ::-1].copy()
    for name, array in {"X": X, "mirrored": mirrored}.items():
        np.save(tmp_path / f"{name}.npy", array)
    sources = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("X", "mirrored")]
    chosen = [np.flatnonzero(np.arange(300) % k > 0) for k in (4, 5)]
    rows = np.vstack([X[chosen[0]], mirrored[chosen[1]]])
    groups = np.concatenate(chosen)
    y = y[groups]
    from_memory = StreamedSVC().fit(rows, y, groups)
    matrix = OutOfCoreMatrix(list(zip(sources, chosen, strict=True)))
    from_files = StreamedSVC().fit(matrix, y, groups)
    assert from_files.predict_proba(X).tobytes() == from_memory.predict_proba(X).tobytes()


@pytest.mark.slow
def test_the_rows_are_never_all_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(sdca, "PASSES", 1)
    X = np.random.default_rng(0).integers(-127, 128, (6000, 4000), np.int8)
    np.save(tmp_path / "X.npy", X)
    size = X.nbytes
    y = np.arange(len(X)) % 2
    del X
    tracemalloc.start()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    StreamedSVC(folds=2).fit(OutOfCoreMatrix([(mapped, np.arange(len(y)))]), y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.8 * size


def test_the_seed_determines_the_order_of_the_rows():
    X, y, _, _ = make_train_and_test()
    rows = OutOfCoreMatrix([(X, np.arange(len(X)))])
    signs = np.where(y == y[0], 1, -1)[:, None]
    first, second, other = (sdca.solve_sdca(rows, signs, 1e-6, seed)[0] for seed in (0, 0, 1))
    assert first.tobytes() == second.tobytes() != other.tobytes()


def test_a_kernel_that_is_not_linear_is_refused_by_name():
    X, y = make_rows()
    with pytest.raises(BadInput, match="rbf") as caught:
        StreamedSVC(kernel="rbf").fit(X, y)
    assert len(str(caught.value).splitlines()) == 1
