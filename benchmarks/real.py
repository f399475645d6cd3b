"""Real photos under three protocols, as DVC experiments: python -m benchmarks.real ARCHIVE."""

import json
import subprocess
import sys
from pathlib import Path

import dvc.api

from benchmarks.clean_copy import ROOT, run

EXPERIMENTS = {
    "seed-protocol": {"split.strategy": "random", "flatten.features": "[pixels]"},
    "honest": {"split.strategy": "grouped", "flatten.features": "[pixels]"},
    "honest-features": {"split.strategy": "grouped", "flatten.features": "[hog,colour]"},
}
FIGURES = ROOT / "metrics" / "real.json"
# The alarm of the last of them, for its features are the best.
ALARM = {"metrics/alarm.json": "metrics/alarm_real.json", "plots/alarm.svg": "plots/alarm_real.svg"}
KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss")


def git(*arguments):
    """What a git command prints."""
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def figures_of(experiment, base):
    """The figures of an experiment on the commit `base`, whatever others have its name."""
    ref = f"refs/exps/{base[:2]}/{base[2:]}/{experiment}"
    split, evaluate = (
        dvc.api.metrics_show(f"metrics/{name}.json", rev=git("rev-parse", ref))
        for name in ("split", "evaluate")
    )
    return {
        "photos": split["photos"],
        "distinct": split["distinct"],
        "twin_in_train_share": split["twin_in_train_share"][split["strategy"]],
        "test_photos": evaluate["photos"],
        "baseline_accuracy": evaluate["baseline_accuracy"],
        **{model: {key: evaluate[model][key] for key in KEPT} for model in ("svm", "nb")},
    }


def main(source):
    if "://" not in source:
        source = str(Path(source).resolve())
    kind = "folder" if Path(source).is_dir() else "archive"
    settings = {"fetch.source": kind, "fetch.path": source, "split.seed": 42, "train_svm.C": 1.0}
    results, base = {}, git("rev-parse", "HEAD")
    for name, knobs in EXPERIMENTS.items():
        options = [f"--set-param={key}={value}" for key, value in (settings | knobs).items()]
        run("dvc", "exp", "run", "--temp", "--force", "--name", name, *options)
        results[name] = figures_of(name, base)
    FIGURES.write_text(json.dumps(results, indent=2) + "\n")
    for source, target in ALARM.items():
        ref = f"refs/exps/{base[:2]}/{base[2:]}/{name}"
        (ROOT / target).write_text(git("show", f"{ref}:{source}") + "\n")
    print(f"wrote {FIGURES.relative_to(ROOT)}; make readme writes its table")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which photos: make real SOURCE=/path/or/URL/of/an/archive")
    main(sys.argv[1])
