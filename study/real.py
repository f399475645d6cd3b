"""Run every protocol on real photos, as DVC experiments: python -m study.real [--again] SOURCE.

A fifth of the pictures, with all their near-duplicates, is removed first: the external hold-out.
Every protocol runs on the others, and its model is evaluated on the hold-out at the end. --again
only repeats the evaluation, of the experiments based on HEAD.
"""

import argparse
import csv
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from flowers.base.tables import write_json, write_text
from flowers.evaluation.charts import plot_tuning
from flowers.evaluation.metrics import compute_bootstrap_interval
from flowers.model import folder as model_folder
from flowers.splits import split_by_group
from scoring.registry.git import read_file_at
from study import experiments
from study.compare import find_commit
from study.photos import DOWNLOADS, find_groups, read_photos
from study.recipes import PROTOCOLS, read_recipe
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "real.json"
TUNING_CHART = ROOT / "docs" / "tuning.svg"
ARCHIVE = DOWNLOADS / "without_holdout.zip"
METRICS = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss", "calibration_error")
HOLDOUT_SHARE = 0.2
SEED = 1
# The drift simulation of the last protocol, which has the most accurate features.
DRIFT_POWER = {
    "metrics/drift_power.json": "metrics/drift_power_real.json",
    "plots/drift_power.svg": "plots/drift_power_real.svg",
}


def select_holdout(labels, photos, groups):
    """Select the external hold-out, and write the other photos to an archive for ``fetch``.

    Returns
    -------
    ndarray of int
        Positions of the photos.
    """
    holdout = split_by_group(labels, groups, HOLDOUT_SHARE, SEED)
    with zipfile.ZipFile(ARCHIVE, "w") as archive:
        for i in np.flatnonzero(~holdout):
            # Without a date, so that the same photos give the same archive.
            archive.writestr(zipfile.ZipInfo(f"{labels[i]}/{i:06d}"), photos[i])
    return np.flatnonzero(holdout)


def evaluate_holdout(commit, labels, photos, groups):
    """Evaluate the model of an experiment on the external hold-out.

    Returns
    -------
    dict
        ``external_holdout`` with the accuracy and its interval, the median CPU ``ms_per_photo``,
        and ``model_mb``.
    """
    with tempfile.TemporaryDirectory() as folder:
        experiments.get_candidate(commit, Path(folder) / "model")
        model = model_folder.load_predictor(Path(folder) / "model")
        size = sum(p.stat().st_size for p in (Path(folder) / "model").glob("*.*"))
    predictions = []
    seconds = []
    for photo in tqdm(photos, desc="external hold-out", unit=" photos", disable=None):
        start = time.process_time()  # independent of other load
        predictions.append(model.predict([model.load(photo)])[0].label)
        seconds.append(time.process_time() - start)
    correct = np.array(predictions) == labels
    low, high = compute_bootstrap_interval(correct, groups, 2000, 0)
    return {
        "external_holdout": {
            "photos": len(labels),
            "accuracy": correct.mean(),
            "accuracy_low": low,
            "accuracy_high": high,
        },
        "ms_per_photo": 1000 * float(np.median(seconds)),
        "model_mb": size / 1e6,
    }


def read_protocol(commit):
    """Read the leakage and the test metrics of an experiment, and its tuning if it has any."""
    split = experiments.read_metrics(commit, "split")
    evaluate = experiments.read_metrics(commit, "evaluate")
    tuning = list(csv.DictReader(read_file_at(commit, "plots/tuning.csv").splitlines()))
    return {
        "photos": split["photos"],
        "distinct": split["distinct"],
        "leakage": split["leakage"][split["strategy"]],
        "test_photos": evaluate["photos"],
        "baseline_accuracy": evaluate["baseline_accuracy"],
        **{model: {key: evaluate[model][key] for key in METRICS} for model in ("svm", "nb")},
        **({"tuning": tuning} if len(tuning) > 1 else {}),
    }


def run_protocol(name, source, target):
    """Run one protocol as an experiment of its name."""
    recipe, strategy = PROTOCOLS[name]
    params = {"split.strategy": strategy} | read_recipe(recipe)
    experiments.run_experiment(name, source | params, target)


def main(source, again):
    labels, photos = read_photos(experiments.get_source_params(source)["fetch.path"])
    groups = find_groups(photos)
    holdout = select_holdout(labels, photos, groups)
    source = experiments.get_source_params(str(ARCHIVE))
    holdout_photos = [photos[i] for i in holdout]
    results = {}
    last = list(PROTOCOLS)[-1]
    for number, (name, (recipe, strategy)) in enumerate(PROTOCOLS.items(), 1):
        print(f"\n[{number}/{len(PROTOCOLS)}] {name}", flush=True)
        if not again:
            run_protocol(name, source, "power/dvc.yaml" if name == last else "promote")
        commit = find_commit(name)
        results[name] = {"recipe": recipe, "strategy": strategy} | read_protocol(commit)
        results[name] |= evaluate_holdout(commit, labels[holdout], holdout_photos, groups[holdout])
        write_json(FIGURES, results)
        test, external = (results[name][k]["accuracy"] for k in ("svm", "external_holdout"))
        print(f"{name}: test accuracy {test:.3f}, external hold-out {external:.3f}")
    for path, copy in DRIFT_POWER.items():
        write_text(ROOT / copy, read_file_at(commit, path))
    write_text(TUNING_CHART, plot_tuning(results["pixels-tuned-grouped"]["tuning"]))
    print(f"\nwrote {FIGURES.relative_to(ROOT)}; make readme renders its tables, and")
    print(f'make compare RUNS="{" ".join(PROTOCOLS)}" compares the protocols')


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m study.real", description=__doc__)
    parser.add_argument("source", help="an archive, a URL or a folder of photos")
    parser.add_argument("--again", action="store_true", help="repeat the evaluation alone")
    options = parser.parse_args()
    main(options.source, options.again)
