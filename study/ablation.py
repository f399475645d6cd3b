"""The contribution of each part of a recipe: python -m study.ablation SOURCE.

Features by classifier, without altered copies, as DVC experiments on real photos. The figure is the
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


def draw_ablation(results):
    """Draw the out-of-fold accuracy, a group of bars per kind of features."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    ax = figure.subplots()
    for k, classifier in enumerate(CLASSIFIERS):
        rows = [row for row in results if row["classifier"] == classifier]
        positions = [FEATURES.index(row["features"]) + 0.4 * k for row in rows]
        values = [row["out_of_fold_accuracy"] for row in rows]
        bars = ax.bar(positions, values, 0.38, label=classifier)
        ax.bar_label(bars, fmt="%.3f", fontsize=6)
    ax.set_xticks([i + 0.2 for i in range(len(FEATURES))], FEATURES)
    ax.set(ylabel="out-of-fold accuracy", ylim=(0, 1))
    ax.legend(fontsize=7, loc="upper left")
    return to_svg(figure)


def main(source):
    source = experiments.get_source_params(source)
    results = []
    for features, classifier in itertools.product(FEATURES, CLASSIFIERS):
        name = f"ablation-{len(results) + 1}"
        params = read_recipe(features)
        trained = read_recipe(CLASSIFIERS[classifier]).items()
        params |= {key: value for key, value in trained if key.startswith("train_svm.")}
        params |= {"train_svm.augment": 0}
        experiments.run_experiment(name, source | params, "train_svm")
        metrics = experiments.read_metrics(find_commit(name), "train_svm")
        row = {"features": features, "classifier": classifier}
        results.append(row | {key: metrics[key] for key in ("photos", "out_of_fold_accuracy")})
        print(f"ablation: {results[-1]}", flush=True)
    write_json(FIGURES, results)
    write_text(CHART, draw_ablation(results))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m study.ablation /path/of/an/archive")
    main(sys.argv[1])
