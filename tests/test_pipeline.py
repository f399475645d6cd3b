"""The whole pipeline as a user runs it: real DVC, real git, small images."""

import json
import re
import shutil

import pytest
import yaml
from dvc.exceptions import ReproductionError

from scoring.registry.git import read_file_at
from study import compare, experiments
from study.compare import find_commit
from study.recipes import read_recipe
from tests.imports import ROOT
from tests.repo_copy import RepoCopy

REAL = read_recipe("hog-colour") | {
    "fetch.source": "archive",
    "resize.size": 64,
    "evaluate.resamples": 200,
}


def read_metrics(repo_copy, name):
    return json.loads((repo_copy.path / f"metrics/{name}.json").read_text())


def list_stages(output):
    """Names of the stages that DVC ran, from its standard output."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running")]


def assert_fits(text, columns, lines):
    assert 0 < len(text.splitlines()) <= lines, text
    assert max(map(len, text.splitlines())) <= columns, text
    assert "…" not in text, text


def test_a_second_run_with_other_workers_runs_no_stage_and_leaves_git_clean(
    finished_run, monkeypatch
):
    monkeypatch.setenv("JOBS", "1")
    monkeypatch.setenv("BACKEND", "loky")
    assert finished_run.repro() == []
    assert finished_run.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_a_fresh_clone_runs_to_the_committed_bits(finished_run, tmp_path):
    finished_run.run("git", "clone", "-q", str(finished_run.path), str(tmp_path / "clone"))
    clone = RepoCopy(tmp_path / "clone")
    done = clone.run("dvc", "repro", "--force", "--no-run-cache")
    stages = yaml.safe_load((clone.path / "dvc.yaml").read_text())["stages"]
    assert set(list_stages(done.stdout)) == set(stages)
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_every_metric_and_plot_of_a_run_is_declared(finished_run):
    declared = set()
    for stage in yaml.safe_load((finished_run.path / "dvc.yaml").read_text())["stages"].values():
        for kind in ("outs", "metrics", "plots"):
            for out in stage.get(kind, []):
                declared |= set(out) if isinstance(out, dict) else {out}
    for folder in ("metrics", "plots"):
        for path in (finished_run.path / folder).glob("[!.]*"):
            assert f"{folder}/{path.name}" in declared, path


@pytest.mark.slow
def test_an_experiment_is_named_compared_and_leaves_no_trace(repo_copy, monkeypatch, capsys):
    repo_copy.run("dvc", "exp", "run", "--temp", "--name", "wide", "-S", "train_svm.C=10")
    assert repo_copy.run("git", "status", "--porcelain").stdout == ""
    diff = json.loads(repo_copy.run("dvc", "metrics", "diff", "HEAD", "wide", "--json").stdout)
    assert list(diff) == ["metrics/summary.json"]
    assert "log_loss" in diff["metrics/summary.json"]
    assert_fits(repo_copy.run("dvc", "metrics", "diff", "--all", "HEAD", "wide").stdout, 100, 12)
    table = repo_copy.run("make", "-f", str(ROOT / "Makefile"), "-o", "env", "table").stdout
    assert_fits(table, 160, 20)
    assert {"wide", "train_svm.C", "svm", "log_loss"} <= set(re.split(r"[^\w.]+", table))
    monkeypatch.chdir(repo_copy.path)
    compare.main(["HEAD", "wide"])
    assert [line[:4] for line in capsys.readouterr().out.splitlines()[1:3]] == ["HEAD", "wide"]
    plots = repo_copy.run("dvc", "plots", "diff", "HEAD", "wide", "-o", "shown").stdout
    page = (repo_copy.path / "shown/index.html").read_text()
    assert "index.html" in plots
    for name in ("Confusion, SVM", "Reliability", "Precision against", "errors.jpg"):
        assert name in page, name


def test_the_counts_of_the_stages_add_up(finished_run):
    fetch, resize = read_metrics(finished_run, "fetch"), read_metrics(finished_run, "resize")
    split, rows = read_metrics(finished_run, "split"), read_metrics(finished_run, "evaluate")
    assert fetch["photos"] == resize["photos"] + resize["rejected"]["total"]
    assert resize["photos"] == split["photos"] == split["train"] + split["test"]
    assert split["test"] == rows["photos"]
    assert min(split["near_duplicate_pairs"], split["conflicting_groups"]) > 0
    assert split["leakage"]["random"] > 0


@pytest.mark.slow
def test_real_photos_from_an_archive_run_to_a_candidate(finished_run, tmp_path, real_zip):
    repo_copy = finished_run.copy_to(tmp_path / "repository")
    repo_copy.set_params(**REAL, **{"fetch.path": str(real_zip)})
    repo_copy.run("dvc", "repro")
    split, evaluate = read_metrics(repo_copy, "split"), read_metrics(repo_copy, "evaluate")
    assert read_metrics(repo_copy, "fetch")["photos"] == split["photos"] == 1502
    assert split["distinct"] < 1000 and split["leaked_test_photos"] == 0
    assert split["leakage"]["random"] > 0.5
    assert evaluate["svm"]["accuracy_low"] > evaluate["baseline_accuracy"] + 0.1
    assert read_metrics(repo_copy, "promotion")["champion"] == "svm"


def test_a_failed_stage_leaves_the_lock_as_it_was(repo_copy, capfd):
    before = (repo_copy.path / "dvc.lock").read_bytes()
    repo_copy.set_params(**{"train_svm.folds": 50})
    with pytest.raises(ReproductionError):
        repo_copy.repro()
    assert (repo_copy.path / "dvc.lock").read_bytes() == before
    errors = capfd.readouterr().err
    assert sum(line.startswith("train_svm:") for line in errors.splitlines()) == 1
    assert "Traceback" not in errors


@pytest.mark.slow
def test_experiments_share_the_stages_before_their_difference(repo_copy, monkeypatch, capfd):
    photos = repo_copy.path.parent / "photos"
    shutil.copytree(repo_copy.path / "data/photos", photos)
    monkeypatch.setattr(experiments, "ROOT", repo_copy.path)
    monkeypatch.chdir(repo_copy.path)
    runs = {}
    for name, seed in (("one", 7), ("two", 8)):
        params = experiments.get_source_params(str(photos)) | {
            "resize.size": 48,
            "split.seed": seed,
        }
        experiments.run_experiment(name, params, "train_nb")
        runs[name] = list_stages(capfd.readouterr().out)
    assert {"fetch", "resize", "split"} <= set(runs["one"])
    assert "split" in runs["two"] and not {"fetch", "resize"} & set(runs["two"])
    one, two = (read_file_at(find_commit(name), "dvc.lock") for name in runs)
    locks = [yaml.safe_load(lock)["stages"] for lock in (one, two)]
    assert locks[0]["resize"]["outs"] == locks[1]["resize"]["outs"]
    next(photos.glob("*/*.jpg")).unlink()
    experiments.run_experiment("fewer", experiments.get_source_params(str(photos)), "resize")
    assert {"fetch", "resize"} <= set(list_stages(capfd.readouterr().out))
