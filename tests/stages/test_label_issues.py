import csv

import numpy as np
from PIL import Image


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_twins_with_two_labels_are_the_first_to_check(finished_run):
    rows = rows_of(finished_run.path / "metrics/label_issues.csv")
    split = rows_of(finished_run.path / "data/split.csv")
    labels = {}
    for row in split:
        labels.setdefault(row["group"], set()).add(row["label"])
    mixed = sum(len(found) > 1 for found in labels.values())
    assert mixed > 0
    twins = [row["reason"] == "near-duplicate" for row in rows]
    assert sum(twins) >= mixed and all(twins[: sum(twins)])


def test_training_photos_are_judged_by_models_that_did_not_see_them(finished_run):
    rows = rows_of(finished_run.path / "metrics/label_issues.csv")
    assert {row["part"] for row in rows} == {"train", "test"}
    held_out = rows_of(finished_run.path / "data/out_of_fold.csv")
    train = {
        row["row"]
        for row in rows_of(finished_run.path / "data/split.csv")
        if row["part"] == "train"
    }
    assert {row["row"] for row in held_out} == train


def test_a_suspect_is_known_by_its_bytes_and_may_be_looked_at(finished_run):
    index = {row["path"]: row["sha256"] for row in rows_of(finished_run.path / "data/index.csv")}
    for row in rows_of(finished_run.path / "metrics/label_issues.csv"):
        assert row["sha256"] == index[row["path"]] and row["label"] != row["suggested"]
    with Image.open(finished_run.path / "plots/label_issues.jpg") as sheet:
        assert np.asarray(sheet).std() > 10
