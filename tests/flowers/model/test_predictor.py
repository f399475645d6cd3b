"""One path from bytes to a prediction: every caller gets the same bits."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

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
from flowers.model.predictor import Predictor
from flowers.model.typicality import fit_typicality
from tests.flowers.features.codebooks import small_codebook
from tests.flowers.images.photo_files import encode_image, make_picture, make_samples
from tests.flowers.learning.estimator_data import CLASSES

SIZE = 32
FEATURES = [["pixels"], list(EXTRACTORS)]
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
    return Predictor(estimator, card, {}, small_codebook(), make_typicality(*features))


@cache
def make_rows(*features):
    images = np.random.default_rng(1).integers(0, 256, (60, SIZE, SIZE, 3), dtype=np.uint8)
    return extract_features(images, features, codebook=small_codebook())


@cache
def make_typicality(*features):
    return fit_typicality(make_rows(*features), np.full(60, True))


def fit_predictor(estimator, features):
    rows = make_rows(*features)
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


@pytest.fixture(scope="module", params=FEATURES, ids="+".join)
def features(request):
    return request.param


@pytest.fixture(scope="module")
def samples(files, features):
    """Samples of the files, loaded one by one."""
    return [make_predictor(None, features).load(data) for data in files]


def test_every_caller_loads_the_features_of_the_row_in_a_batch(files, loaded, features, samples):
    rows = extract_features(loaded[0], features, loaded[1], small_codebook())
    predictor = make_predictor(None, features)
    # The scorer loads in other threads; its decode worker sends pixels and size.
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(predictor.load, files))
    worker = [predictor.to_sample(*load_pixels(data, SIZE)[:2]) for data in files]
    for caller in (samples, threads, worker):
        for sample, row, first in zip(caller, rows, samples, strict=True):
            assert sample.features.shape == (1, len(row)) and sample.features.dtype == rows.dtype
            np.testing.assert_array_equal(sample.features[0], row)
            assert sample.image == first.image


def collect(predictions):
    return [(p.label, p.probabilities.tobytes(), p.typicality, p.image) for p in predictions]


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_batches_of_any_size_get_the_same_bits(loaded, estimator, features, samples):
    predictor = fit_predictor(estimator, features)
    # The command line and the golden check: one by one.
    single = [predictor.predict([sample])[0] for sample in samples]
    expected = collect(single)
    # The scorer: images of several requests in batches of mixed size.
    ends = [1, 3, 10, len(samples)]
    batches = [samples[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert collect(p for batch in batches for p in predictor.predict(batch)) == expected
    assert collect(reversed(predictor.predict(samples[::-1]))) == expected
    # The pipeline: all at once, where another product may round otherwise.
    probabilities = [prediction.probabilities for prediction in single]
    assert probabilities[0].shape == (5,) and probabilities[0].dtype == np.float64
    together, typicality = predictor.predict_images(*loaded)
    np.testing.assert_allclose(probabilities, together, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(typicality, [prediction.typicality for prediction in single])


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
