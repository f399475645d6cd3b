import numpy as np
import pytest

from flowers.drift_simulation import shifts


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 48, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", shifts.IMAGE_SHIFTS)
def test_a_shift_keeps_shape_dtype_and_its_input_and_does_not_depend_on_the_batch(images, name):
    before = images.copy()
    after = shifts.IMAGE_SHIFTS[name](images)
    height, width = images.shape[1:3]
    sides = (width, height) if name == "rotate" else (height, width)
    assert (after.shape, after.dtype) == ((2, *sides, 3), np.uint8)
    assert np.array_equal(images, before)
    assert not np.array_equal(after, images)
    assert np.array_equal(shifts.IMAGE_SHIFTS[name](images[1:])[0], after[1])


def test_colour_shifts_change_channels_as_named(images):
    grey = shifts.remove_colour(images)
    assert np.ptp(grey, axis=-1).max() == 0
    white = np.full((1, 4, 4, 3), 255, np.uint8)
    assert np.array_equal(shifts.remove_colour(white), white)
    assert np.array_equal(shifts.swap_channels(images), images[..., [2, 1, 0]])
    dark = shifts.reduce_brightness(images)
    assert dark.mean() == pytest.approx(0.6 * images.mean(), rel=1e-2)


def test_blur_mixes_no_images_and_no_channels():
    before = np.zeros((2, 64, 64, 3), np.uint8)
    before[0, 32, 32, 1] = 255
    before[0, :, :32, 2] = 200
    after = shifts.blur_images(before)
    assert after[1].max() == after[0, :, :, 0].max() == 0
    assert after[0, 32, 32, 1] < 255 and 50 < after[0, 5, 32, 2] < 150


@pytest.mark.parametrize("count", [2, 5])
def test_label_shifts_are_proportions_as_named(count):
    for compute_proportions in shifts.LABEL_SHIFTS.values():
        proportions = compute_proportions(count)
        assert proportions.shape == (count,) and proportions.sum() == pytest.approx(1)
        assert proportions.min() >= 0 and np.ptp(proportions) > 0.1
    assert shifts.remove_class(count)[0] == 0
    tripled = shifts.triple_class(count)
    assert tripled[0] == pytest.approx(3 * tripled[1])


def test_occlusion_keeps_the_border_and_a_crop_keeps_the_centre(images):
    occluded = shifts.occlude_centre(images)
    assert np.ptp(occluded[:, 20:44, 15:33]) == 0
    assert np.array_equal(occluded[:, :16], images[:, :16])
    flat = np.zeros((1, 60, 60, 3), np.uint8)
    flat[:, 15:45, 15:45] = 200
    assert shifts.crop_centre(flat).mean() > 2 * flat.mean()


def test_a_letterbox_has_black_bars_and_the_whole_image_between_them():
    after = shifts.add_bars(np.full((1, 100, 40, 3), 90, np.uint8))
    assert after[0, :20].max() == after[0, 80:].max() == 0
    assert (after[0, 20:80] == 90).all()


def test_an_unknown_image_has_all_tiles_in_other_places():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4).repeat(8, 0).repeat(8, 1)
    after = shifts.shuffle_tiles(np.repeat(image[None, ..., None], 3, axis=-1))[0, ..., 0]
    assert sorted(after[::8, ::8].ravel()) == list(range(16))
    assert not np.any(after[::8, ::8] == image[::8, ::8])
