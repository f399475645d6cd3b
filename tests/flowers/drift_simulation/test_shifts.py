import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.drift_simulation import shifts


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 48, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", shifts.NAMES)
def test_a_shift_keeps_shape_type_and_the_photos_given(images, name):
    before = images.copy()
    after = shifts.apply(name, images)
    height, width = images.shape[1:3]
    sides = (width, height) if name == "rotate" else (height, width)
    assert (after.shape, after.dtype) == ((2, *sides, 3), np.uint8)
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
    assert after[0, 32, 32, 1] < 255 and 50 < after[0, 5, 32, 2] < 150


@pytest.mark.parametrize("name", shifts.OF_CLASSES)
def test_shares_of_classes_sum_to_one(name):
    for count in (2, 5):
        weights = shifts.OF_CLASSES[name](count)
        assert weights.shape == (count,) and weights.sum() == pytest.approx(1)
        assert weights.min() >= 0 and np.ptp(weights) > 0.1


def test_the_class_that_is_gone_never_comes():
    assert shifts.class_gone(5)[0] == 0


def test_the_tripled_class_comes_three_times_as_often_as_another():
    assert shifts.class_tripled(5)[0] == pytest.approx(3 * shifts.class_tripled(5)[1])


@pytest.mark.parametrize("name", shifts.OF_PIXELS)
def test_a_photo_is_shifted_alike_alone_and_among_others(images, name):
    together = shifts.apply(name, images)
    assert np.array_equal(shifts.apply(name, images[1:])[0], together[1])


def test_a_hidden_middle_leaves_the_rim_and_a_crop_leaves_the_middle(images):
    hidden = shifts.occlude(images)
    assert np.ptp(hidden[:, 20:44, 15:33]) == 0
    assert np.array_equal(hidden[:, :16], images[:, :16])
    flat = np.zeros((1, 60, 60, 3), np.uint8)
    flat[:, 15:45, 15:45] = 200
    assert shifts.crop(flat).mean() > 2 * flat.mean()


def test_a_letterbox_has_black_bars_and_the_whole_photo_between_them():
    after = shifts.letterbox(np.full((1, 100, 40, 3), 90, np.uint8))
    assert after[0, :20].max() == after[0, 80:].max() == 0
    assert (after[0, 20:80] == 90).all()


def test_the_tiles_of_an_unknown_photo_are_those_of_the_photo_in_another_place():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4).repeat(8, 0).repeat(8, 1)
    after = shifts.unknown(np.repeat(image[None, ..., None], 3, axis=-1))[0, ..., 0]
    assert sorted(after[::8, ::8].ravel()) == list(range(16))
    assert not np.any(after[::8, ::8] == image[::8, ::8])


def test_an_unknown_shift_is_refused_with_those_there_are(images):
    with pytest.raises(BadInput, match="gray.*grey"):
        shifts.apply("gray", images)
