"""Models that are linear in the features: one weight vector per decision value."""

import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.sdca import StreamedSVC
from flowers.learning.svm import GramSVC, sum_votes_and_margins
from tests.flowers.learning.estimator_data import (
    make_train_and_test,
    prepare_linear,
)

LinearSVM = partial(GramSVC, kernel="linear")


@pytest.mark.parametrize(("dtype", "standardise"), [("uint8", True), ("float32", False)])
@pytest.mark.parametrize(("multiclass", "classes"), [("ovo", 2), ("ovo", 5), ("ovr", 5)])
def test_decision_values_are_those_of_svc(dtype, standardise, multiclass, classes):
    X, y, new, _ = make_train_and_test(classes, dtype)
    model = LinearSVM(C=2.0, standardise=standardise, multiclass=multiclass).fit(X, y)
    reference = SVC(kernel="linear", C=2.0, decision_function_shape="ovo")
    reference = OneVsRestClassifier(reference) if multiclass == "ovr" else reference
    train, test = prepare_linear(X, new, standardise)
    expected = reference.fit(train, y).decision_function(test)
    if multiclass == "ovo" and classes > 2:
        expected = sum_votes_and_margins(expected)
    np.testing.assert_allclose(model.decision_function(new), expected, rtol=0, atol=1e-3)


MODELS = {
    "gram": LinearSVM,
    "gram ovr": partial(LinearSVM, multiclass="ovr"),
    "sdca": StreamedSVC,
    "naive Bayes": CalibratedNB,
    "naive Bayes of components": partial(CalibratedNB, reduce="pca", components=20),
    "naive Bayes of discriminants": partial(CalibratedNB, reduce="lda", components=20),
}


@pytest.mark.parametrize(
    ("classes", "calibration"), [(2, "sigmoid"), (5, "temperature"), (5, "isotonic")]
)
@pytest.mark.parametrize("name", ["rbf", *MODELS])
def test_the_label_is_the_most_probable_class(name, classes, calibration):
    X, y, new, labels = make_train_and_test(classes)
    model = MODELS.get(name, GramSVC)(calibration=calibration).fit(X, y)
    probabilities = model.predict_proba(new)
    assert probabilities.shape == (len(new), classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(new), model.classes_[probabilities.argmax(axis=1)])
    assert np.mean(model.predict(new) == labels) > 0.8


@pytest.mark.parametrize(
    ("name", "k"), [("gram ovr", 5), ("sdca", 10), ("naive Bayes of discriminants", 4)]
)
def test_a_model_is_as_large_as_its_weight_vectors(name, k):
    X, y, _, _ = make_train_and_test(d=4000)
    model = MODELS[name]().fit(X, y)
    assert getattr(model, "reduction_", model.classifier_).coef_.shape == (k, 4000)
    assert len(pickle.dumps(model)) < k * 4000 * 4 + 20_000


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", MODELS)
def test_a_row_gets_the_same_bits_in_any_small_batch(name, classes):
    X, y, new, _ = make_train_and_test(classes, "float32", d=3000)
    model = MODELS[name](folds=2).fit(X, y)
    single = np.concatenate([model.predict_proba(r[None]) for r in new[:BATCH_INVARIANT_ROWS]])
    for count in (2, 3, 4, 5, 8, 17, BATCH_INVARIANT_ROWS):
        for batch in (new[:count], np.asfortranarray(new[:count])):
            np.testing.assert_array_equal(model.predict_proba(batch), single[:count])
