"""Real photos under three protocols, as DVC experiments: python -m benchmarks.real ARCHIVE."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import dvc.api

from benchmarks.clean_copy import ROOT, run
from flowers.sources.downloads import obtain

EXPERIMENTS = {
    "seed-protocol": {"split.strategy": "random", "flatten.features": "[pixels]"},
    "honest": {"split.strategy": "grouped", "flatten.features": "[pixels]"},
    "honest-features": {"split.strategy": "grouped", "flatten.features": "[hog,colour]"},
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


def photos_of(source):
    """Knobs that name the photos, an archive with its digest: by it DVC knows them again."""
    if "://" not in source:
        source = str(Path(source).resolve())
    archive = obtain(source, ROOT / "data" / "downloads")
    if archive.is_dir():
        return {"fetch.source": "folder", "fetch.path": source}
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"fetch.source": "archive", "fetch.path": source, "fetch.sha256": digest}


def main(source):
    photos = photos_of(source)
    settings = photos | {"split.seed": 42, "train_svm.C": 1.0}
    # Without a digest DVC cannot tell whether these are the photos that it has seen before.
    force = [] if "fetch.sha256" in photos else ["--force"]
    results, base = {}, git("rev-parse", "HEAD")
    for name, knobs in EXPERIMENTS.items():
        options = [f"--set-param={key}={value}" for key, value in (settings | knobs).items()]
        ref = f"refs/exps/{base[:2]}/{base[2:]}/{name}"
        if git("for-each-ref", ref):
            run("dvc", "exp", "remove", "--quiet", name)
        run("dvc", "exp", "run", "--temp", *force, "--name", name, *options)
        results[name] = figures_of(name, base)
    FIGURES.write_text(json.dumps(results, indent=2) + "\n")
    print(f"wrote {FIGURES.relative_to(ROOT)}; make readme writes its table")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which photos: make real SOURCE=/path/or/URL/of/an/archive")
    main(sys.argv[1])
