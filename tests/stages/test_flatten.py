import numpy as np
import pytest


def test_pixels_stay_eight_bits(finished):
    X = np.load(finished.path / "data/features.npy", mmap_mode="r")
    images = np.load(finished.path / "data/images.npy")
    assert X.dtype == np.uint8
    assert np.array_equal(X, images.reshape(len(images), -1))


def test_extractors_stand_side_by_side_in_the_order_named(shop):
    columns = {}
    for names in (["hog"], ["colour"], ["hog", "colour"]):
        shop.stage("flatten", **{"flatten.features": names})
        columns["+".join(names)] = np.load(shop.path / "data/features.npy")
    both = columns["hog+colour"]
    assert both.dtype == np.float32
    assert np.array_equal(both, np.hstack([columns["hog"], columns["colour"]]))


@pytest.mark.parametrize("names", [[], ["pixel"], ["hog", "hog"]])
def test_a_wrong_list_of_extractors_is_refused(shop, names):
    assert "flatten.features" in shop.refused("flatten", **{"flatten.features": names})
