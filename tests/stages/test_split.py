import numpy as np

from flowers.base.tables import read_csv, read_json


def read_split(repo_copy):
    """Columns of split.csv, and the figures."""
    rows = read_csv(repo_copy.path / "data/split.csv")
    return rows, read_json(repo_copy.path / "metrics/split.json")


def count_leaks(rows):
    test = rows["part"] == "test"
    return int(np.isin(rows["group"][test], rows["group"][~test]).sum())


def test_a_grouped_split_has_no_leakage(finished_run):
    rows, figures = read_split(finished_run)
    assert count_leaks(rows) == figures["leaked_test_photos"] == 0
    assert figures["leakage"]["grouped"] == 0
    assert figures["train"] + figures["test"] == figures["photos"] == len(rows["row"])
    assert figures["distinct"] == len(set(rows["group"])) < figures["photos"]
    labels = [set(rows["label"][rows["group"] == group]) for group in set(rows["group"])]
    assert figures["conflicting_groups"] == sum(len(names) > 1 for names in labels) > 0


def test_a_random_split_leaks_and_the_leakage_is_measured(workdir):
    workdir.run_stage("split", **{"split.strategy": "random"})
    rows, figures = read_split(workdir)
    assert figures["leaked_test_photos"] == count_leaks(rows) > 0
    share = count_leaks(rows) / (rows["part"] == "test").sum()
    assert abs(figures["leakage"]["random"] - share) < 1e-3


def test_each_signal_can_be_switched_off_and_detects_copies_of_its_own(workdir):
    images = np.load(workdir.path / "data/images.npy")
    # A copy in grey, and a crop.
    first = 0
    second = len(images) // 2
    images[1] = images[first].mean(axis=2, dtype=int)[..., None]
    inner = images[second, 2:30, 2:30]
    images[second + 1] = inner[np.ix_(np.arange(32) * 28 // 32, np.arange(32) * 28 // 32)]
    path = workdir.path / "data/images.npy"
    path.chmod(0o644)
    np.save(path, images)

    names = ("split.near_duplicate_structure", "split.near_duplicate_crop")
    workdir.run_stage("split", **dict.fromkeys(names, 0.7))
    rows, figures = read_split(workdir)
    assert rows["group"][1] == rows["group"][first]
    assert rows["group"][second + 1] == rows["group"][second]
    assert sum(figures["pairs_by_signal"].values()) == figures["near_duplicate_pairs"]
    workdir.run_stage("split", **dict.fromkeys(names))
    rows, figures = read_split(workdir)
    assert rows["group"][1] != rows["group"][first]
    assert rows["group"][second + 1] != rows["group"][second]
    assert set(figures["pairs_by_signal"]) == {"colour"}
