"""What each part of the recipe is worth: python -m study.ablation ARCHIVE.

Features by machine by mirror images, as DVC experiments on real photos. The figure is the accuracy
on held-out grouped folds of the training photos: test photos take no part in a choice.
"""

import itertools
import sys

from matplotlib.figure import Figure

from flowers.base.plots import to_svg
from flowers.base.tables import write_json, write_text
from study import experiments
from study.recipes import RECIPES
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "ablation.json"
PICTURE = ROOT / "docs" / "ablation.svg"
FEATURES = ("pixels", "hog-colour", "fisher-small")
MACHINES = {
    "RBF, each pair": {
        "train_svm.kernel": "rbf",
        "train_svm.standardise": "true",
        "train_svm.multiclass": "ovo",
        "train_svm.C": 1.0,
    },
    "linear, one against the rest": {
        "train_svm.kernel": "linear",
        "train_svm.standardise": "false",
        "train_svm.multiclass": "ovr",
        "train_svm.C": 2.0,
    },
}
MIRROR = (False, True)


def picture(results):
    """Accuracy on held-out folds, a group of bars per kind of features."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    ax = figure.subplots()
    bars = list(itertools.product(MACHINES, MIRROR))
    for k, (machine, mirror) in enumerate(bars):
        found = [r for r in results if r["machine"] == machine and r["mirror"] == mirror]
        at = [FEATURES.index(r["features"]) + 0.2 * k for r in found]
        label = f"{machine}{', mirror images too' if mirror else ''}"
        drawn = ax.bar(at, [r["out_of_fold_accuracy"] for r in found], 0.18, label=label)
        ax.bar_label(drawn, fmt="%.3f", fontsize=6)
    ax.set_xticks([i + 0.3 for i in range(len(FEATURES))], FEATURES)
    ax.set(ylabel="accuracy on held-out folds", ylim=(0, 1))
    ax.legend(fontsize=7, loc="upper left")
    return to_svg(figure)


def main(source):
    source, results = experiments.get_source_params(source), []
    for features, machine, mirror in itertools.product(FEATURES, MACHINES, MIRROR):
        name = f"ablation-{len(results) + 1}"
        params = RECIPES[features] | MACHINES[machine] | {"train_svm.mirror": str(mirror).lower()}
        experiments.run_experiment(name, source | params, "train_svm")
        told = experiments.read_metrics(experiments.find_commit(name), "train_svm")
        facts = {"features": features, "machine": machine, "mirror": mirror}
        results.append(facts | {key: told[key] for key in ("photos", "out_of_fold_accuracy")})
        print(f"ablation: {results[-1]}", flush=True)
    write_json(FIGURES, results)
    write_text(PICTURE, picture(results))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which photos: python -m study.ablation /path/of/an/archive")
    main(sys.argv[1])
