"""Model files: estimators round-trip, also memory-mapped."""

import numpy as np
import pytest

from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.persistence import load_model, save_model
from flowers.learning.sdca import StreamedSVC
from flowers.learning.svm import GramSVC
from tests.flowers.learning.estimator_data import make_rows

MODELS = [
    GramSVC(),
    GramSVC(kernel="linear", calibration="isotonic"),
    StreamedSVC(),
    CalibratedNB(),
    CalibratedNB(reduce="lda", components=5, calibration="isotonic"),
]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_loaded_model_predicts_as_the_saved_one(model, mapped, tmp_path):
    X, y = make_rows()
    save_model(model.fit(X, y), tmp_path / "model.joblib")
    loaded = load_model(tmp_path / "model.joblib", mapped)
    assert type(loaded) is type(model)
    assert isinstance(loaded.classes_, np.memmap) == mapped
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("estimator", [GramSVC, StreamedSVC, CalibratedNB])
def test_the_same_rows_give_a_file_of_the_same_bytes(estimator, tmp_path):
    X, y = make_rows()
    for name in ("first", "second"):
        save_model(estimator().fit(X, y), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
