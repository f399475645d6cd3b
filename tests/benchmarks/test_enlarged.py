"""Added photos: their number, reproducibility, new pictures and copies of them."""

import zipfile

import numpy as np
import pytest

from benchmarks.enlarged import NEW, PERIOD, enlarge_photos, write_archive
from flowers.duplicates.search import find_near_duplicates, group_pairs, merge_pairs
from flowers.images.decoding import load_pixels
from flowers.synthetic.collection import generate_images

COUNT = 50


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two synthetic photos of each class, and an invalid file."""
    folder = tmp_path_factory.mktemp("photos")
    for name, content in generate_images(2, near_duplicate_share=0, wrong_labels=0):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    next(folder.iterdir()).joinpath("words.jpg").write_text("words")
    return folder


@pytest.fixture(scope="module")
def photos(source):
    return list(enlarge_photos(source, COUNT))


def test_photos_of_every_class_are_added_after_the_real_ones(source, photos):
    contents = {path.read_bytes() for path in source.glob("*/*")}
    assert len(photos) == COUNT and len({label for label, _ in photos}) == 5
    real = [content in contents for _, content in photos]
    assert real == sorted(real, reverse=True) and sum(real) >= 10


def test_three_of_five_added_photos_are_distinct(photos):
    images = np.stack([load_pixels(content)[0] for _, content in photos])
    thresholds = {"colour": 0.97, "structure": 0.8, "crop": 0.82}
    groups = group_pairs(merge_pairs(find_near_duplicates(images, thresholds)), COUNT)
    real = COUNT - (COUNT - 10) // PERIOD * PERIOD
    assert len(set(groups)) == pytest.approx(real + (COUNT - real) * NEW / PERIOD, abs=3)


def test_photos_are_reproducible_and_fewer_are_a_prefix(source, photos, tmp_path):
    assert list(enlarge_photos(source, COUNT - 20)) == photos[:-20]
    assert list(enlarge_photos(source, 4)) == photos[:4]
    write_archive(source, 30, tmp_path / "photos.zip")
    with zipfile.ZipFile(tmp_path / "photos.zip") as archive:
        names = archive.namelist()
        assert len(names) == 30 and {name.count("/") for name in names} == {2}
        assert [archive.read(name) for name in names] == [content for _, content in photos[:30]]
