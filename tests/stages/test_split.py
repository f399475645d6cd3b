import numpy as np

from flowers.base.tables import read_csv, read_json, write_csv


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


def write_parts(workdir, part_of):
    """Write data/parts.csv with a part for the number of each image."""
    paths = read_csv(workdir.path / "data/index.csv")["path"]
    rows = [{"path": path, "part": part_of(k)} for k, path in enumerate(paths)]
    (workdir.path / "data/parts.csv").chmod(0o644)
    write_csv(workdir.path / "data/parts.csv", rows, ("path", "part"))


def test_the_given_split_is_kept_and_accuracy_is_measured_with_and_without_its_leaks(
    workdir, capsys
):
    write_parts(workdir, lambda k: ("train", "train", "test", "validation")[k % 4])
    workdir.run_stage("split", **{"split.strategy": "given"})
    rows, figures = read_split(workdir)
    assert (rows["part"] == np.where(np.arange(len(rows["row"])) % 4 == 2, "test", "train")).all()
    assert figures["leaked_test_photos"] == count_leaks(rows) > 0
    assert set(figures["leakage"]) == {"grouped", "random", "given"}
    assert sum(figures["parts"].values()) == figures["photos"]
    assert "validation (used for training)" in capsys.readouterr().out

    workdir.run_stage("evaluate")
    assert "; without the test photos that leak: SVM " in capsys.readouterr().out
    metrics = read_json(workdir.path / "metrics/evaluate.json")
    kept = metrics["svm"]["without_leaked"]
    assert kept["photos"] == figures["test"] - figures["leaked_test_photos"]
    assert kept["accuracy_low"] <= kept["accuracy"] <= kept["accuracy_high"]
    workdir.run_stage("report")
    page = (workdir.path / "plots/report.html").read_text()
    assert f"On the {kept['photos']} test images without" in page.replace("\n", " ")
