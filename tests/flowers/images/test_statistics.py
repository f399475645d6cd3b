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


def count_bits(first, second):
    return (int(compute_hash(first), 16) ^ int(compute_hash(second), 16)).bit_count()


@pytest.mark.parametrize("save", shifts.COPIES)
def test_the_hash_of_a_photo_that_was_saved_again_is_nearly_the_same(photo, save):
    other = np.asarray(resize_square(draw_photo("Lotus", np.random.default_rng(1)), 128))
    assert count_bits(photo, save(photo[None])[0]) <= 6
    assert count_bits(photo, shifts.remove_colour(photo[None])[0]) <= 6
    assert count_bits(photo, other) > 12
    assert compute_hash(np.zeros((32, 32, 3), np.uint8)) == "0" * 16
