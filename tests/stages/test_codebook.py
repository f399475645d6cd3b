import numpy as np
import pytest

from flowers.base.tables import read_csv
from flowers.features.codebook import read_codebook

PATH = "models/codebook.npz"


def test_pixels_learn_nothing_whatever_the_split_and_so_rerun_nothing(desk):
    before = (desk.path / PATH).read_bytes()
    assert read_codebook(desk.path / PATH) is None
    desk.stage("split", **{"split.seed": 7})
    desk.stage("codebook", **{"codebook.words": 99})
    assert (desk.path / PATH).read_bytes() == before


@pytest.mark.slow
def test_test_photos_are_not_learnt_from(learned, tmp_path):
    shop = learned.copied(tmp_path / "repository")
    before = (shop.path / PATH).read_bytes()
    rows = read_csv(shop.path / "data/split.csv")
    images = np.load(shop.path / "data/images.npy")
    images[rows["part"] == "test"] = 0
    np.save(shop.path / "data/images.npy", images)
    shop.stage("codebook")
    assert (shop.path / PATH).read_bytes() == before
    images[rows["part"] == "train"] = 0
    np.save(shop.path / "data/images.npy", images)
    shop.stage("codebook")
    assert (shop.path / PATH).read_bytes() != before


@pytest.mark.parametrize(
    ("knob", "value"),
    [("scales", []), ("scales", [0.0]), ("words", 0), ("photos", -1), ("per_photo", 0.5)],
)
def test_a_wrong_knob_is_refused_by_name(desk, knob, value):
    assert f"codebook.{knob}" in desk.refused("codebook", **{f"codebook.{knob}": value})


@pytest.mark.slow
def test_more_words_than_descriptors_are_refused_with_what_to_do(learned, tmp_path):
    shop = learned.copied(tmp_path / "repository")
    few = {"codebook.words": 1000, "codebook.photos": 2, "codebook.per_photo": 3}
    assert "codebook.per_photo" in shop.refused("codebook", **few)
