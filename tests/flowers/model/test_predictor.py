"""Demands on the way from bytes to an answer: the same alone as in the pipeline's batch."""

import numpy as np
import pytest
from PIL import Image

from flowers.base.errors import RejectedImage
from flowers.features.extraction import EXTRACTORS, extract_features
from flowers.images.decoding import decode_image, load_pixels
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.svm import GramSVC
from flowers.model.predictor import Predictor
from tests.flowers.features.codebooks import small_codebook
from tests.flowers.images.photo_files import encode_image, make_picture, make_samples
from tests.flowers.learning.estimator_data import CLASSES

SIZE = 32
FEATURES = [*([name] for name in EXTRACTORS), list(EXTRACTORS)]


def asked(estimator, features):
    card = {"classes": CLASSES.tolist(), "features": features, "size": SIZE}
    return Predictor(estimator, card, {}, small_codebook())


@pytest.fixture(scope="module")
def photos():
    """Every kind of photo file, and noise in the size of each."""
    generator = np.random.default_rng(0)
    drawn = [make_picture(width, height) for width, height in [(20, 90), (200, 64), (32, 32)]]
    noisy = [generator.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(20)]
    return [
        *make_samples().values(),
        *(encode_image(image, "JPEG") for image in drawn),
        *(encode_image(Image.fromarray(pixels), "JPEG") for pixels in noisy),
    ]


@pytest.fixture(scope="module")
def batch(photos):
    return np.stack([load_pixels(data, SIZE)[0] for data in photos])


@pytest.fixture(scope="module")
def sizes(photos):
    return np.array([decode_image(data)[0].size for data in photos])


@pytest.mark.parametrize("features", FEATURES, ids="+".join)
def test_the_features_of_one_photo_are_its_row_in_the_batch(photos, batch, sizes, features):
    rows = extract_features(batch, features, sizes, small_codebook())
    for data, size, row in zip(photos, sizes, rows, strict=True):
        alone = extract_features(load_pixels(data, SIZE)[0][None], features, [size], small_codebook())
        assert alone.shape == (1, len(row)) and alone.dtype == rows.dtype
        np.testing.assert_array_equal(alone[0], row)


@pytest.mark.parametrize("estimator", [GramSVC, CalibratedNB])
@pytest.mark.parametrize("features", FEATURES, ids="+".join)
def test_photos_one_by_one_are_answered_as_in_the_batch(photos, batch, sizes, features, estimator):
    generator = np.random.default_rng(1)
    train = generator.integers(0, 256, (60, SIZE, SIZE, 3), dtype=np.uint8)
    rows = extract_features(train, features, codebook=small_codebook())
    fitted = estimator().fit(rows, np.tile(CLASSES, 12))
    model = asked(fitted, features)
    together = model.predict_proba(batch, sizes)
    alone = [model.predict([model.load(data)])[0].probabilities for data in photos]
    assert alone[0].shape == (5,) and alone[0].dtype == np.float64
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-6)


LINEAR = {"kernel": "linear", "standardise": False, "multiclass": "ovr"}


@pytest.mark.parametrize(
    "estimator",
    [GramSVC(), GramSVC(**LINEAR), CalibratedNB(), CalibratedNB(reduce="lda", components=10)],
    ids=["rbf", "linear", "naive Bayes", "lda"],
)
def test_photos_answered_together_get_the_answers_they_get_alone(photos, estimator):
    generator = np.random.default_rng(2)
    rows = generator.integers(0, 256, (60, SIZE * SIZE * 3), dtype=np.uint8)
    model = asked(estimator.fit(rows, np.tile(CLASSES, 12)), ["pixels"])
    mixed = [b"", *photos[:20], b"flower"]
    together = model.predict_bytes(mixed)
    assert [isinstance(answer, RejectedImage) for answer in together] == [True, *[False] * 20, True]
    for data, answer in zip(photos, together[1:-1], strict=False):
        (alone,) = model.predict([model.load(data)])
        assert (answer.label, answer.image) == (alone.label, alone.image)
        np.testing.assert_allclose(answer.probabilities, alone.probabilities, rtol=0, atol=1e-9)


@pytest.mark.parametrize("data", [b"", b"flower", encode_image(make_picture(), "JPEG")[:200]])
def test_a_photo_that_cannot_be_read_is_rejected(data):
    with pytest.raises(RejectedImage):
        asked(CalibratedNB(), ["pixels"]).load(data)


def test_a_model_is_unsure_where_its_card_says_and_never_without_a_word():
    card = {"classes": ["a"], "features": ["pixels"], "size": SIZE}
    assert Predictor(None, card, {}).confidence_threshold == 0.0
    assert (
        Predictor(None, card | {"metrics": {"confidence_threshold": 0.6}}, {}).confidence_threshold
        == 0.6
    )
