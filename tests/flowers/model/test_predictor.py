"""One path from bytes to a prediction: every caller gets the same bits."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import Perceptron

from flowers.base.errors import RejectedImage
from flowers.features.extraction import EXTRACTORS, extract_features
from flowers.images.decoding import load_pixels
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.other import CalibratedOther
from flowers.learning.svm import GramSVC
from flowers.model import predictor as predictor_module
from flowers.model.predictor import Predictor
from tests.flowers.features.codebooks import small_codebook
from tests.flowers.images.photo_files import encode_image, make_picture, make_samples
from tests.flowers.learning.estimator_data import CLASSES

SIZE = 32
FEATURES = [*([name] for name in EXTRACTORS), list(EXTRACTORS)]
ESTIMATORS = {
    "rbf": GramSVC(),
    "linear": GramSVC(kernel="linear", standardise=False, multiclass="ovr"),
    "naive Bayes": CalibratedNB(),
    "lda": CalibratedNB(reduce="lda", components=10),
    "forest": CalibratedOther(ExtraTreesClassifier(5, min_samples_leaf=2, random_state=0)),
    "perceptron": CalibratedOther(Perceptron(random_state=0)),
}


def make_predictor(estimator, features):
    card = {"classes": CLASSES.tolist(), "features": features, "size": SIZE}
    return Predictor(estimator, card, {}, small_codebook())


def fit_predictor(estimator, features):
    images = np.random.default_rng(1).integers(0, 256, (60, SIZE, SIZE, 3), dtype=np.uint8)
    rows = extract_features(images, features, codebook=small_codebook())
    return make_predictor(estimator.fit(rows, np.tile(CLASSES, 12)), features)


@pytest.fixture(scope="module")
def files():
    """Image files of every format and of many sizes."""
    rng = np.random.default_rng(0)
    pictures = [make_picture(width, height) for width, height in [(20, 90), (200, 64), (32, 32)]]
    noise = [Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)) for _ in range(30)]
    return [*make_samples().values(), *(encode_image(i, "JPEG") for i in pictures + noise)]


@pytest.fixture(scope="module")
def loaded(files):
    """Pixels, shape (n, SIZE, SIZE, 3), and original sizes, shape (n, 2)."""
    pixels, sizes, _ = zip(*(load_pixels(data, SIZE) for data in files), strict=True)
    return np.stack(pixels), np.array(sizes)


@pytest.mark.parametrize("features", FEATURES, ids="+".join)
def test_the_features_of_one_image_equal_its_row_in_a_batch(files, loaded, features):
    pixels, sizes = loaded
    rows = extract_features(pixels, features, sizes, small_codebook())
    predictor = make_predictor(None, features)
    for data, row in zip(files, rows, strict=True):
        single = predictor.load(data).features
        assert single.shape == (1, len(row)) and single.dtype == rows.dtype
        np.testing.assert_array_equal(single[0], row)


@pytest.mark.parametrize("estimator", [GramSVC, CalibratedNB])
@pytest.mark.parametrize("features", FEATURES, ids="+".join)
def test_single_predictions_equal_those_of_the_pipeline(files, loaded, features, estimator):
    predictor = fit_predictor(estimator(), features)
    expected = predictor.predict_proba(*loaded)
    single = [predictor.predict([predictor.load(data)])[0].probabilities for data in files]
    assert single[0].shape == (5,) and single[0].dtype == np.float64
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-6)


def collect(predictions):
    return [(p.label, p.probabilities.tobytes(), p.image) for p in predictions]


@pytest.mark.parametrize("features", [["pixels"], list(EXTRACTORS)], ids="+".join)
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_every_caller_gets_the_same_bits(files, estimator, features):
    predictor = fit_predictor(estimator, features)
    expected = collect(predictor.predict_bytes(files))
    # The command line and the golden check: one by one.
    assert collect(predictor.predict([predictor.load(data)])[0] for data in files) == expected
    # The scorer: images of several requests, loaded in other threads, in batches of mixed size.
    with ThreadPoolExecutor(4) as pool:
        samples = list(pool.map(predictor.load, files))
    ends = [1, 3, 10, len(files)]
    batches = [samples[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert collect(p for batch in batches for p in predictor.predict(batch)) == expected
    assert collect(reversed(predictor.predict(samples[::-1]))) == expected
    # The decode worker: pixels and size come from another process.
    worker = [predictor.to_sample(*load_pixels(data, SIZE)[:2]) for data in files]
    assert collect(predictor.predict(worker)) == expected


def test_statistics_and_pixels_are_computed_once_per_image(files, monkeypatch):
    predictor = fit_predictor(CalibratedNB(), ["pixels"])
    calls = []

    def count_calls(name):
        function = getattr(predictor_module, name)
        return lambda *args: calls.append(name) or function(*args)

    for name in ("load_pixels", "compute_statistics"):
        monkeypatch.setattr(predictor_module, name, count_calls(name))
    predictor.predict_bytes(files[:3])
    assert sorted(calls) == ["compute_statistics"] * 3 + ["load_pixels"] * 3


def test_a_rejected_image_keeps_its_place_in_the_results(files):
    predictor = fit_predictor(CalibratedNB(), ["pixels"])
    results = predictor.predict_bytes([b"", *files[:3], b"flower", files[0][:200]])
    rejected = [isinstance(result, RejectedImage) for result in results]
    assert rejected == [True, False, False, False, True, True]
    assert collect(results[1:4]) == collect(predictor.predict_bytes(files[:3]))


def test_the_confidence_threshold_comes_from_the_card():
    card = {"classes": ["a"], "features": ["pixels"], "size": SIZE}
    assert Predictor(None, card, {}).confidence_threshold == 0.0
    card["metrics"] = {"confidence_threshold": 0.6}
    assert Predictor(None, card, {}).confidence_threshold == 0.6
