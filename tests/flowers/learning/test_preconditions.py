"""What a classifier cannot be fitted on is refused in one line, before any work."""

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.sdca import StreamedSVC
from flowers.learning.svm import GramSVC

LABELS = np.repeat(["Lotus", "Tulip"], 6)
CLASSIFIERS = {
    "gram": GramSVC(kernel="linear", folds=2),
    "sgd": StreamedSVC(kernel="linear", folds=2),
    "bayes": CalibratedNB(folds=2),
    "pca": CalibratedNB(reduce="pca", folds=2),
    "lda": CalibratedNB(reduce="lda", folds=2),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_equal_features_of_all_images_are_refused(name):
    with pytest.raises(BadInput, match="same features: set flatten.features"):
        CLASSIFIERS[name].fit(np.full((12, 3), 3.0), LABELS)


@pytest.mark.parametrize("name", ["bayes", "pca", "lda"])
def test_equal_features_of_all_images_outside_a_fold_are_refused(name):
    X = np.full((12, 3), 3.0)
    X[5] = 4.0
    with pytest.raises(BadInput, match="same features: set flatten.features"):
        CLASSIFIERS[name].fit(X, LABELS)


def test_discriminants_of_fewer_images_than_classes_and_one_are_refused():
    X = np.random.default_rng(0).normal(size=(4, 3))
    labels = np.array(["Lotus", "Lotus", "Tulip", "Tulip"])
    with pytest.raises(BadInput, match="a fold leaves 2 images of 2 classes: set folds higher"):
        CLASSIFIERS["lda"].fit(X, labels)
    assert len(CLASSIFIERS["pca"].fit(X, labels).predict(X)) == 4
