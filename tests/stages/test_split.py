import csv
import json

import numpy as np


def outcome(repo_copy):
    with (repo_copy.path / "data/split.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return columns, json.loads((repo_copy.path / "metrics/split.json").read_text())


def crossing(rows):
    test = rows["part"] == "test"
    return int(np.isin(rows["group"][test], rows["group"][~test]).sum())


def test_twins_never_cross_the_grouped_split(finished_run):
    rows, figures = outcome(finished_run)
    assert crossing(rows) == figures["leaked_test_photos"] == 0
    assert figures["leakage"]["grouped"] == 0
    assert figures["train"] + figures["test"] == figures["photos"] == len(rows["row"])
    assert figures["distinct"] == len(set(rows["group"])) < figures["photos"]


def test_the_random_split_leaks_and_says_how_much(workdir):
    workdir.run_stage("split", **{"split.strategy": "random"})
    rows, figures = outcome(workdir)
    assert figures["leaked_test_photos"] == crossing(rows) > 0
    share = crossing(rows) / (rows["part"] == "test").sum()
    assert abs(figures["leakage"]["random"] - share) < 1e-3


def test_each_signal_can_be_switched_off_and_finds_what_others_miss(workdir):
    images = np.load(workdir.path / "data/images.npy")
    # A copy in grey, another one as a part.
    first, second = 0, len(images) // 2
    images[1] = images[first].mean(axis=2, dtype=int)[..., None]
    inner = images[second, 2:30, 2:30]
    images[second + 1] = inner[np.ix_(np.arange(32) * 28 // 32, np.arange(32) * 28 // 32)]
    (workdir.path / "data/images.npy").chmod(0o644)
    np.save(workdir.path / "data/images.npy", images)

    def pairs_by_signal(**params):
        workdir.run_stage("split", **params)
        return outcome(workdir)

    rows, figures = pairs_by_signal(
        **{"split.near_duplicate_structure": 0.7, "split.near_duplicate_crop": 0.7}
    )
    assert rows["group"][1] == rows["group"][first]
    assert rows["group"][second + 1] == rows["group"][second]
    assert sum(figures["pairs_by_signal"].values()) == figures["near_duplicate_pairs"]
    rows, figures = pairs_by_signal(
        **{"split.near_duplicate_structure": None, "split.near_duplicate_crop": None}
    )
    assert rows["group"][1] != rows["group"][first]
    assert rows["group"][second + 1] != rows["group"][second]
    assert set(figures["pairs_by_signal"]) == {"colour"}


def test_pictures_with_two_labels_are_counted(finished_run):
    rows, figures = outcome(finished_run)
    labels = [set(rows["label"][rows["group"] == g]) for g in set(rows["group"])]
    assert figures["conflicting_groups"] == sum(len(found) > 1 for found in labels) > 0


def test_a_class_with_too_few_distinct_pictures_is_refused(workdir):
    lines = (workdir.path / "data/index.csv").read_text().splitlines()
    images = np.load(workdir.path / "data/images.npy")
    tulips = [i for i, line in enumerate(lines[1:]) if ",Tulip," in line]
    images[tulips] = images[tulips[0]]
    (workdir.path / "data/images.npy").chmod(0o644)
    np.save(workdir.path / "data/images.npy", images)
    assert "Tulip" in workdir.expect_refusal("split")
