"""Real photos under three protocols, as DVC experiments: python -m benchmarks.real ARCHIVE."""

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.clean_copy import ROOT, run

EXPERIMENTS = {
    "seed-protocol": {"split.strategy": "random", "flatten.features": "[pixels]"},
    "honest": {"split.strategy": "grouped", "flatten.features": "[pixels]"},
    "honest-features": {"split.strategy": "grouped", "flatten.features": "[hog,colour]"},
    "tuned": {
        "split.strategy": "grouped",
        "flatten.features": "[pixels]",
        "train_svm.C": "[0.1,0.3,1,3,10,30]",
    },
}
FIGURES = ROOT / "metrics" / "real.json"
KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss")


def git(*arguments):
    """What a git command prints."""
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def figures_of(experiment, base):
    """The figures of an experiment on the commit `base`, whatever others have its name."""
    ref = f"refs/exps/{base[:2]}/{base[2:]}/{experiment}"
    split, evaluate = (
        json.loads(git("show", f"{ref}:metrics/{name}.json")) for name in ("split", "evaluate")
    )
    tuning = list(csv.DictReader(io.StringIO(git("show", f"{ref}:plots/tuning.csv"))))
    return {
        "photos": split["photos"],
        "distinct": split["distinct"],
        "twin_in_train_share": split["twin_in_train_share"][split["strategy"]],
        "test_photos": evaluate["photos"],
        "baseline_accuracy": evaluate["baseline_accuracy"],
        **{model: {key: evaluate[model][key] for key in KEPT} for model in ("svm", "nb")},
        **({"tuning": tuning} if len(tuning) > 1 else {}),
    }


def main(source):
    if "://" not in source:
        source = str(Path(source).resolve())
    kind = "folder" if Path(source).is_dir() else "archive"
    settings = {"fetch.source": kind, "fetch.path": source, "split.seed": 42, "train_svm.C": 1.0}
    results, base = {}, git("rev-parse", "HEAD")
    for number, (name, knobs) in enumerate(EXPERIMENTS.items(), 1):
        told, start = ", ".join(f"{k}={v}" for k, v in knobs.items()), time.monotonic()
        print(f"\n[{number}/{len(EXPERIMENTS)}] {name}: {told}", flush=True)
        options = [f"--set-param={key}={value}" for key, value in (settings | knobs).items()]
        run("dvc", "exp", "run", "--temp", "--force", "--name", name, *options)
        results[name] = figures_of(name, base)
        svm, nb = (results[name][model]["accuracy"] for model in ("svm", "nb"))
        spent = time.monotonic() - start
        print(f"[{number}/{len(EXPERIMENTS)}] {name}: SVM {svm:.3f}, NB {nb:.3f}, {spent:.0f} s")
    FIGURES.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwrote {FIGURES.relative_to(ROOT)}; make readme writes its tables, and")
    print(f'make compare RUNS="{" ".join(EXPERIMENTS)}" sets them side by side')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which photos: make real SOURCE=photos.zip (an archive, a URL or a folder)")
    main(sys.argv[1])
