import csv
import json

import numpy as np


def read_rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_array_and_index_have_a_row_for_every_photo_that_can_be_read(finished_run):
    images = np.load(finished_run.path / "data/images.npy")
    index = read_rows(finished_run.path / "data/index.csv")
    rejected = read_rows(finished_run.path / "metrics/resize_rejected.csv")
    fetched = json.loads((finished_run.path / "metrics/fetch.json").read_text())["photos"]
    assert images.shape == (len(index), 32, 32, 3) and images.dtype == np.uint8
    assert len(index) + len(rejected) == fetched
    assert [row["path"] for row in index] == sorted(row["path"] for row in index)
    assert {row["path"]: row["reason"] for row in rejected} == {"Lilly/truncated.jpg": "truncated"}


def test_conversions_are_counted(finished_run):
    figures = json.loads((finished_run.path / "metrics/resize.json").read_text())
    for kind in ("exif-transposed", "16-bit", "cmyk", "palette", "alpha"):
        assert figures["converted"][kind] == 1, kind


def test_a_class_without_a_readable_image_stops_the_run(workdir):
    for path in (workdir.path / "data/photos/Tulip").iterdir():
        path.chmod(0o644)
        path.write_bytes(b"\xff\xd8\xff" + b"no photo")
    before = (workdir.path / "data/images.npy").read_bytes()
    assert "Tulip" in workdir.expect_refusal("resize")
    assert (workdir.path / "data/images.npy").read_bytes() == before
