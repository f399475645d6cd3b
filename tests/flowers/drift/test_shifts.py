import numpy as np
import pytest

from flowers.drift import shifts
from flowers.errors import BadInput


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 48, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", shifts.NAMES)
def test_a_shift_keeps_shape_type_and_the_photos_given(images, name):
    before = images.copy()
    after = shifts.apply(name, images)
    assert (after.shape, after.dtype) == (images.shape, np.uint8)
    assert np.array_equal(images, before)
    assert np.array_equal(after, images) == (name in shifts.OF_CLASSES)


def test_grey_has_equal_channels_and_keeps_white(images):
    after = shifts.grey(images)
    assert np.ptp(after, axis=-1).max() == 0
    white = np.full((1, 4, 4, 3), 255, np.uint8)
    assert np.array_equal(shifts.grey(white), white)


def test_a_swap_undoes_itself(images):
    assert np.array_equal(shifts.swap(shifts.swap(images)), images)


def test_darker_has_six_tenths_of_the_brightness(images):
    assert shifts.darker(images).mean() == pytest.approx(0.6 * images.mean(), rel=1e-2)


def test_blur_smooths_each_photo_and_each_channel_on_its_own():
    images = np.zeros((2, 64, 64, 3), np.uint8)
    images[0, 32, 32, 1] = 255
    images[0, :, :32, 2] = 200
    after = shifts.blur(images)
    assert after[1].max() == after[0, :, :, 0].max() == 0
    assert after[0, 32, 32, 1] < 255 and 60 < after[0, 5, 32, 2] < 140


@pytest.mark.parametrize("name", shifts.OF_CLASSES)
def test_shares_of_classes_sum_to_one(name):
    for count in (2, 5):
        weights = shifts.OF_CLASSES[name](count)
        assert weights.shape == (count,) and weights.sum() == pytest.approx(1)
        assert weights.min() >= 0 and np.ptp(weights) > 0.1


def test_the_class_that_is_gone_never_comes():
    assert shifts.class_gone(5)[0] == 0


def test_an_unknown_shift_is_refused_with_those_there_are(images):
    with pytest.raises(BadInput, match="gray.*grey"):
        shifts.apply("gray", images)
