import csv

import numpy as np
from PIL import Image


def read_rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_training_images_are_checked_with_out_of_fold_predictions(finished_run):
    issues = read_rows(finished_run.path / "metrics/label_issues.csv")
    assert {row["part"] for row in issues} == {"train", "test"}
    split = read_rows(finished_run.path / "data/split.csv")
    train = {row["row"] for row in split if row["part"] == "train"}
    out_of_fold = read_rows(finished_run.path / "data/out_of_fold.csv")
    assert {row["row"] for row in out_of_fold} == train


def test_an_issue_identifies_its_image_by_digest_and_is_shown(finished_run):
    index = {row["path"]: row["sha256"] for row in read_rows(finished_run.path / "data/index.csv")}
    for row in read_rows(finished_run.path / "metrics/label_issues.csv"):
        assert row["sha256"] == index[row["path"]] and row["label"] != row["suggested"]
    with Image.open(finished_run.path / "plots/label_issues.jpg") as sheet:
        assert np.asarray(sheet).std() > 10
