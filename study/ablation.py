"""The contribution of each part of a recipe: python -m study.ablation SOURCE.

Features by classifier by altered copies, as DVC experiments on real photos. The figure is the
accuracy on out-of-fold predictions of grouped folds of the training photos, so that no choice uses
test photos.
"""

import itertools
import sys

from matplotlib.figure import Figure

from flowers.base.plots import to_svg
from flowers.base.tables import write_json, write_text
from study import experiments
from study.compare import find_commit
from study.recipes import read_recipe
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "ablation.json"
CHART = ROOT / "docs" / "ablation.svg"
FEATURES = ("pixels", "hog-colour", "fisher-small")
# The recipe with the parameters of each classifier.
CLASSIFIERS = {"RBF, one-vs-one": "pixels", "linear, one-vs-rest": "fisher-small"}
COPIES = (0, 2)  # of each training photo


def draw_ablation(results):
    """Draw the out-of-fold accuracy, a group of bars per kind of features."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    ax = figure.subplots()
    for k, (classifier, copies) in enumerate(itertools.product(CLASSIFIERS, COPIES)):
        rows = [r for r in results if r["classifier"] == classifier and r["copies"] == copies]
        positions = [FEATURES.index(row["features"]) + 0.2 * k for row in rows]
        label = f"{classifier}{', altered copies' if copies else ''}"
        bars = ax.bar(positions, [row["out_of_fold_accuracy"] for row in rows], 0.18, label=label)
        ax.bar_label(bars, fmt="%.3f", fontsize=6)
    ax.set_xticks([i + 0.3 for i in range(len(FEATURES))], FEATURES)
    ax.set(ylabel="out-of-fold accuracy", ylim=(0, 1))
    ax.legend(fontsize=7, loc="upper left")
    return to_svg(figure)


def main(source):
    source = experiments.get_source_params(source)
    results = []
    for features, classifier, copies in itertools.product(FEATURES, CLASSIFIERS, COPIES):
        name = f"ablation-{len(results) + 1}"
        params = read_recipe(features)
        trained = read_recipe(CLASSIFIERS[classifier]).items()
        params |= {key: value for key, value in trained if key.startswith("train_svm.")}
        params |= {"train_svm.augment": copies}
        experiments.run_experiment(name, source | params, "train_svm")
        metrics = experiments.read_metrics(find_commit(name), "train_svm")
        row = {"features": features, "classifier": classifier, "copies": copies}
        results.append(row | {key: metrics[key] for key in ("photos", "out_of_fold_accuracy")})
        print(f"ablation: {results[-1]}", flush=True)
    write_json(FIGURES, results)
    write_text(CHART, draw_ablation(results))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m study.ablation /path/of/an/archive")
    main(sys.argv[1])
