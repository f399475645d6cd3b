import numpy as np
import pytest
from scipy.ndimage import laplace

from flowers.drift_simulation import shifts
from flowers.images.decoding import resize_square
from flowers.images.statistics import (
    LUMA,
    STATISTIC_NAMES,
    compute_hash,
    compute_statistics,
    flatten_statistics,
)
from flowers.synthetic.picture import draw_photo


@pytest.fixture(scope="module")
def photo():
    return np.asarray(resize_square(draw_photo("Tulip", np.random.default_rng(0)), 128))


def measure_sharpness(pixels):
    return compute_statistics(pixels)["sharpness"]


@pytest.mark.parametrize(("name", "sign"), [("blur", -1), ("noise", 1)])
def test_sharpness_falls_with_blur_and_rises_with_noise(photo, name, sign):
    after = measure_sharpness(shifts.IMAGE_SHIFTS[name](photo[None])[0])
    assert sign * (after - measure_sharpness(photo)) > 0.2 * measure_sharpness(photo)


def test_a_flat_photo_has_no_sharpness_and_a_chessboard_the_most():
    assert measure_sharpness(np.full((32, 32, 3), 90, np.uint8)) == 0
    board = (np.indices((32, 32)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert 3 < measure_sharpness(np.repeat(board[..., None], 3, axis=-1)) <= 4


@pytest.mark.parametrize("shade", [None, 0, 77, 255])
def test_the_statistics_equal_their_plain_formulas(photo, shade):
    pixels = photo if shade is None else np.full_like(photo[:48, :48], shade)
    channels = pixels / 255.0
    luma = channels @ LUMA
    assert compute_statistics(pixels) == {
        "mean": [round(float(c.mean()), 4) for c in np.moveaxis(channels, 2, 0)],
        "std": [round(float(c.std()), 4) for c in np.moveaxis(channels, 2, 0)],
        "brightness": round(float(luma.mean()), 4),
        "sharpness": round(float(laplace(luma).std()), 4),
    }


def test_the_values_are_in_the_order_of_their_names(photo):
    image = compute_statistics(photo)
    numbers = dict(zip(STATISTIC_NAMES, flatten_statistics(image), strict=True))
    assert numbers["mean_red"] == image["mean"][0]
    assert numbers["std_blue"] == image["std"][2]
    assert numbers["sharpness"] == image.pop("sharpness")
    *values, sharpness = flatten_statistics(image)
    assert np.isnan(sharpness) and values == list(numbers.values())[:-1]


@pytest.mark.parametrize("bad", [{"mean": [1.0]}, {"std": None}, {"brightness": "x"}])
def test_a_dict_of_another_form_is_refused(photo, bad):
    with pytest.raises((TypeError, ValueError)):
        flatten_statistics(compute_statistics(photo) | bad)


def count_bits(first, second):
    return (int(compute_hash(first), 16) ^ int(compute_hash(second), 16)).bit_count()


@pytest.mark.parametrize("save", shifts.COPIES)
def test_the_hash_of_a_photo_that_was_saved_again_is_nearly_the_same(photo, save):
    other = np.asarray(resize_square(draw_photo("Lotus", np.random.default_rng(1)), 128))
    assert count_bits(photo, save(photo[None])[0]) <= 6
    assert count_bits(photo, shifts.remove_colour(photo[None])[0]) <= 6
    assert count_bits(photo, other) > 12
    assert compute_hash(np.zeros((32, 32, 3), np.uint8)) == "0" * 16
