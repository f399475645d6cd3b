"""Charts of an evaluation as SVG; equal numbers give equal bytes."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from flowers.base.plots import make_labels, to_svg


def plot_evaluation(predictions, reliability, curves, tuning):
    """Plot all charts of an evaluation.

    Parameters
    ----------
    predictions : dict of model name to Predictions
        On the same images.
    reliability, curves, tuning
        See the functions below.

    Returns
    -------
    dict of file name without suffix to SVG text
    """
    first = next(iter(predictions.values()))
    predicted = {name: model.predicted for name, model in predictions.items()}
    return {
        "confusion": plot_confusion(first.labels, predicted, first.classes),
        "reliability": plot_reliability(reliability),
        "recall": plot_precision_recall(curves),
        "tuning": plot_tuning(tuning),
    }


def plot_confusion(labels, predicted, classes):
    """Plot the confusion matrix of each model; colours show the recall.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    predicted : dict of model name to ndarray of shape (n,), str
    classes : sequence of str
    """
    figure = Figure(figsize=(4.4 * len(predicted), 3.8), layout="constrained")
    axes = figure.subplots(1, len(predicted), squeeze=False)[0]
    class_labels = make_labels(classes)
    for ax, (name, predictions) in zip(axes, predicted.items(), strict=True):
        counts = confusion_matrix(labels, predictions, labels=classes)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, cmap="Greens", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            ax.text(j, i, count, ha="center", va="center", color="w" if share[i, j] > 0.6 else "k")
        ax.set_xticks(range(len(classes)), class_labels, rotation=30)
        ax.set_yticks(range(len(classes)), class_labels)
        ax.set(title=name, xlabel="predicted class", ylabel="label")
    return to_svg(figure, class_labels)


def plot_reliability(reliability):
    """Plot the reliability diagram of each model; the diagonal is perfect calibration.

    `reliability` is the first result of ``flowers.evaluation.metrics.compute_curves``.
    """
    figure = Figure(figsize=(4.2, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect calibration")
    for name, rows in reliability.items():
        points = [(row["confidence"], row["accuracy"]) for row in rows]
        ax.plot(*zip(*points, strict=True), marker="o", label=name)
        for point, row in zip(points, rows, strict=True):
            ax.annotate(row["photos"], point, xytext=(3, -9), textcoords="offset points", size=7)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean confidence", ylabel="accuracy")
    ax.set_title("Reliability diagram (images per bin)")
    ax.legend(frameon=False)
    return to_svg(figure)


def plot_precision_recall(curves):
    """Plot precision against recall, one panel per model and one line per class.

    `curves` is the second result of ``flowers.evaluation.metrics.compute_curves``.
    """
    figure = Figure(figsize=(4.2 * len(curves), 3.6), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False)[0]
    for ax, (name, rows) in zip(axes, curves.items(), strict=True):
        classes = list(dict.fromkeys(row["class"] for row in rows))
        class_labels = make_labels(classes)
        for name_of_class, label in zip(classes, class_labels, strict=True):
            line = [(r["recall"], r["precision"]) for r in rows if r["class"] == name_of_class]
            ax.plot(*zip(*line, strict=True), label=label)
        ax.set(title=name, xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes[0].legend(frameon=False, loc="lower left")
    return to_svg(figure, class_labels)


def plot_tuning(rows):
    """Plot the cross-validation accuracy against C, one line per gamma; circle the chosen value.

    `rows` is ``flowers.learning.tuning.Tuning.table``, a list of dict; ``random`` may be empty.
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    ax = figure.subplots()
    gammas = sorted({float(row["gamma"]) for row in rows})
    styles = (("grouped", "grouped folds", "-"), ("random", "random folds", ":"))
    for number, gamma in enumerate(gammas):
        candidates = [row for row in rows if float(row["gamma"]) == gamma]
        candidates.sort(key=lambda row: float(row["C"]))
        suffix = f", gamma {gamma:.3g}" if len(gammas) > 1 else ""
        for column, label, style in styles:
            points = [(float(r["C"]), float(r[column])) for r in candidates if r[column] != ""]
            if points:
                line = {"color": f"C{number}", "linestyle": style, "marker": "."}
                ax.plot(*zip(*points, strict=True), label=label + suffix, **line)
    for row in rows:
        if int(row["chosen"]):
            point = (float(row["C"]), float(row["grouped"]))
            ax.plot(*point, "o", markersize=12, fillstyle="none", color="0.3")
    ax.set(xscale="log", xlabel="C", ylabel="cross-validation accuracy (train)", ylim=(0, 1))
    ax.legend(frameon=False, loc="lower right")
    return to_svg(figure)
