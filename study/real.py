"""Real photos under every protocol, as DVC experiments: python -m study.real ARCHIVE.

--again asks the models of the experiments on HEAD once more, without a run.

Before any of them a fifth of the pictures is set aside, with all their copies. Each model answers
these photos at the end, so that what its protocol promised stands beside what came.
"""

import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import scoring  # noqa: F401, first: its pins hold for numpy

# isort: split
import numpy as np
import yaml
from tqdm import tqdm

from flowers.base.errors import RejectedImage
from flowers.base.tables import write_csv, write_json, write_text
from flowers.duplicates.colour import group_pairs
from flowers.duplicates.search import find_near_duplicates, merge_pairs
from flowers.evaluation.metrics import compute_bootstrap_interval
from flowers.images.decoding import decode_image, load_pixels
from flowers.model import folder as model_folder
from flowers.sources.files import iterate_archive, iterate_folder
from flowers.splits import split_by_group
from study import experiments
from study.recipes import PROTOCOLS, RECIPES
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "real.json"
ASIDE = ROOT / "data" / "downloads" / "aside.csv"
KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss", "calibration_error")
SHARE, SEED = 0.2, 1
# The alarm of the last protocol, whose features are the best.
ALARM = {
    "metrics/drift_power.json": "metrics/drift_power_real.json",
    "plots/drift_power.svg": "plots/drift_power_real.svg",
}


def read_photos(params):
    """Labels and bytes of all photos that can be read."""
    if params["fetch.source"] == "folder":
        files = iterate_folder(params["fetch.path"])
    else:
        files = iterate_archive(str(params["fetch.path"]), ROOT / "data" / "downloads")
    labels, photos = [], []
    for label, _, content in tqdm(files, desc="photos", unit=" files", disable=None):
        try:
            decode_image(content or b"")
        except RejectedImage:
            continue
        labels.append(label)
        photos.append(content)
    return np.array(labels), photos


def find_groups(photos):
    """Groups of near-duplicates, by the rules of params.yaml."""
    split = yaml.safe_load((ROOT / "params.yaml").read_text())["split"]
    rules = {
        "colour": split["near_duplicate_colour"],
        "structure": split["near_duplicate_structure"],
    }
    rules["crop"] = split["near_duplicate_crop"]
    images = np.stack([load_pixels(photo)[0] for photo in photos])
    return group_pairs(merge_pairs(find_near_duplicates(images, rules)), len(photos))


def hold_out(labels, photos, groups):
    """Positions of the photos that no protocol sees, and the file that says so to `fetch`."""
    aside = np.flatnonzero(split_by_group(labels, groups, SHARE, SEED))
    digests = sorted({sha256(photos[i]).hexdigest() for i in aside})
    write_csv(ASIDE, [{"sha256": digest} for digest in digests])
    return aside


def evaluate_protocol(commit, labels, photos, groups):
    """What a protocol promised, what came on the photos set aside, and what an answer costs."""
    split, told = (experiments.read_metrics(commit, name) for name in ("split", "evaluate"))
    tuning = experiments.read_rows(commit, "plots/tuning.csv")
    with tempfile.TemporaryDirectory() as folder:
        experiments.get_candidate(commit, Path(folder) / "model")
        model = model_folder.load_predictor(Path(folder) / "model")
        size = sum(p.stat().st_size for p in (Path(folder) / "model").glob("*.*"))
    answers, seconds = [], []
    for photo in tqdm(photos, desc="set aside", unit=" photos", disable=None):
        start = time.process_time()  # whatever else is at work
        answers.append(model.predict([model.load(photo)])[0].label)
        seconds.append(time.process_time() - start)
    correct = np.array(answers) == labels
    low, high = compute_bootstrap_interval(correct, groups, 2000, 0)
    return {
        "photos": split["photos"],
        "distinct": split["distinct"],
        "leakage": split["leakage"][split["strategy"]],
        "test_photos": told["photos"],
        "baseline_accuracy": told["baseline_accuracy"],
        **{model: {key: told[model][key] for key in KEPT} for model in ("svm", "nb")},
        "external_holdout": {
            "photos": len(labels),
            "accuracy": correct.mean(),
            "accuracy_low": low,
            "accuracy_high": high,
        },
        "ms_per_photo": 1000 * float(np.median(seconds)),
        "model_mb": size / 1e6,
        **({"tuning": tuning} if len(tuning) > 1 else {}),
    }


def main(source, again):
    source = experiments.get_source_params(source)
    labels, photos = read_photos(source)
    groups = find_groups(photos)
    aside = hold_out(labels, photos, groups)
    kept = [photos[i] for i in aside]
    results = {}
    for number, (name, (recipe, strategy)) in enumerate(PROTOCOLS.items(), 1):
        start = time.monotonic()
        print(f"\n[{number}/{len(PROTOCOLS)}] {name}: {recipe}, {strategy} split", flush=True)
        params = {"split.strategy": strategy, "fetch.exclude": ASIDE} | RECIPES[recipe]
        last = number == len(PROTOCOLS)
        if not again:
            experiments.run_experiment(name, source | params, "drift_power" if last else "promote")
        commit = experiments.find_commit(name)
        facts = {"recipe": recipe, "strategy": strategy}
        results[name] = facts | evaluate_protocol(commit, labels[aside], kept, groups[aside])
        write_json(FIGURES, results)
        promised, came = (results[name][k]["accuracy"] for k in ("svm", "external_holdout"))
        spent = time.monotonic() - start
        print(f"[{number}/{len(PROTOCOLS)}] {name}: {promised:.3f}, came {came:.3f}, {spent:.0f} s")
    for source, target in ALARM.items():
        write_text(ROOT / target, experiments.run_git("show", f"{commit}:{source}") + "\n")
    print(f"\nwrote {FIGURES.relative_to(ROOT)}; make readme writes its tables, and")
    print(f'make compare RUNS="{" ".join(PROTOCOLS)}" sets them side by side')


if __name__ == "__main__":
    *options, source = sys.argv[1:] or [""]
    if not source or options not in ([], ["--again"]):
        sys.exit("say which photos: make real SOURCE=photos.zip (an archive, a URL or a folder)")
    main(source, bool(options))
