"""Charts of an evaluation as SVG; equal numbers give equal bytes."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from flowers.base.plots import make_labels, to_svg
from flowers.base.tables import format_percent, format_share
from flowers.evaluation.metrics import compute_calibration_error
from flowers.evaluation.predictions import get_display_name

MAX_TEXTS = 12  # classes; with more, cells have no percentages and lines no legend
MAX_COUNTS = 30  # classes; with more, cells have no text
ERROR_BARS = {"fmt": "o", "markersize": 4, "capsize": 2, "linewidth": 1}


def plot_evaluation(predictions, reliability, curves, tuning):
    """Plot all charts of an evaluation.

    Parameters
    ----------
    predictions : dict of model name to Predictions
        On the same images.
    reliability, curves : dict of model name to list of dict
        From ``flowers.evaluation.metrics.compute_curves``.
    tuning : list of dict
        See `plot_tuning`.

    Returns
    -------
    dict of file name without suffix to SVG text
    """
    names = {n: get_display_name(n, model.classifier) for n, model in predictions.items()}
    first = next(iter(predictions.values()))
    n = len(first.labels)
    predicted = {names[key]: model.predicted for key, model in predictions.items()}
    return {
        "confusion": plot_confusion(first.labels, predicted, first.classes),
        "reliability": plot_reliability({names[k]: rows for k, rows in reliability.items()}, n),
        "recall": plot_precision_recall({names[k]: rows for k, rows in curves.items()}, n),
        "tuning": plot_tuning(tuning),
    }


def make_panels(count, width, height):
    """Make a figure with `count` panels side by side, each of `width` x `height` inches."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False)[0]


def plot_confusion(labels, predicted, classes):
    """Plot the confusion matrix of each model: images, and percent of the images of a label.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    predicted : dict of display name to ndarray of shape (n,), str
    classes : sequence of str
    """
    side = max(0.74 * min(len(classes), MAX_TEXTS), 0.25 * min(len(classes), 60), 2.6)
    figure, axes = make_panels(len(predicted), side + 1.2, side + 0.8)
    class_labels = make_labels(classes)
    sizes = [int((labels == name).sum()) for name in classes]
    row_labels = [f"{label} ({n})" for label, n in zip(class_labels, sizes, strict=True)]
    for ax, (name, predictions) in zip(axes, predicted.items(), strict=True):
        counts = confusion_matrix(labels, predictions, labels=classes)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, cmap="Greens", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts) if len(classes) <= MAX_COUNTS else ():
            text = f"{count}\n{format_percent(share[i, j])}" if len(classes) <= MAX_TEXTS else count
            style = {"color": "w" if share[i, j] > 0.6 else "k", "size": 8}
            ax.text(j, i, text, ha="center", va="center", **style)
        angle = 30 if len(classes) <= MAX_TEXTS else 90
        turn = {"rotation": angle, "ha": "right", "va": "center", "rotation_mode": "anchor"}
        ax.set_xticks(range(len(classes)), class_labels, **turn)
        ax.set_yticks(range(len(classes)), row_labels)
        ax.set(xlabel="predicted class", ylabel="label (test images)")
        correct = format_percent(np.trace(counts) / len(labels))
        ax.set_title(f"{name}\n{correct} of {len(labels)} test images correct", size=10)
    return to_svg(figure, class_labels)


def plot_reliability(reliability, n):
    """Plot the reliability diagram of each model; the diagonal is perfect calibration.

    Parameters
    ----------
    reliability : dict of display name to list of dict
        From ``flowers.evaluation.metrics.compute_reliability``.
    n : int
        Test images.
    """
    figure, axes = make_panels(len(reliability), 3.9, 3.8)
    for ax, (name, rows) in zip(axes, reliability.items(), strict=True):
        confidence, accuracy, low, high = (
            np.array([row[key] for row in rows])
            for key in ("confidence", "accuracy", "low", "high")
        )
        ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="perfect calibration")
        # Rounding can leave an end on the wrong side of an accuracy of 0 or 1.
        lengths = np.maximum([accuracy - low, high - accuracy], 0)
        counts = sorted({row["photos"] for row in rows})
        sizes = f"{len(rows)} bins of {' to '.join(map(str, counts[:1] + counts[1:][-1:]))} images"
        ax.errorbar(confidence, accuracy, lengths, label="bin, 95 % interval", **ERROR_BARS)
        ax.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="mean confidence", ylabel="accuracy")
        error = compute_calibration_error(rows)
        ax.set_title(f"{name} (n = {n})\ncalibration error {format_share(error)}, {sizes}", size=10)
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=2, frameon=False)
    return to_svg(figure)


def plot_precision_recall(curves, n):
    """Plot precision against recall, one panel per model and one line per class.

    Parameters
    ----------
    curves : dict of display name to list of dict
        From ``flowers.evaluation.metrics.compute_precision_recall``.
    n : int
        Test images.
    """
    figure, axes = make_panels(len(curves), 4.2, 3.8)
    for ax, (name, rows) in zip(axes, curves.items(), strict=True):
        classes = list(dict.fromkeys(row["class"] for row in rows))
        class_labels = make_labels(classes)
        averages = []
        for name_of_class, label in zip(classes, class_labels, strict=True):
            line = [(r["recall"], r["precision"]) for r in rows if r["class"] == name_of_class]
            averages.append(np.mean([precision for _, precision in line]))
            style = {"label": f"{label} ({format_share(averages[-1])})"}
            if len(classes) > MAX_TEXTS:
                style = {"color": "0.6", "linewidth": 0.6}
            ax.plot(*zip(*line, strict=True), **style)
        ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        ax.set_title(
            f"{name} (n = {n})\nmean average precision {format_share(np.mean(averages))}", size=10
        )
        if len(classes) <= MAX_TEXTS:
            title = "class (average precision)"
            ax.legend(loc="best", fontsize=8, title=title, title_fontsize=8, framealpha=0.8)
    return to_svg(figure, class_labels)


def plot_tuning(rows):
    """Plot the cross-validation accuracy against C, one line per gamma; circle the chosen value.

    `rows` is ``flowers.learning.tuning.Tuning.table``, a list of dict; ``random`` may be empty. A
    single candidate is no curve; the result is then one line of text.
    """
    if len(rows) == 1:
        figure = Figure(figsize=(5.6, 0.4))
        text = f"No parameter was tuned: one candidate, C = {float(rows[0]['C']):g}"
        figure.text(0.5, 0.5, text, ha="center", va="center")
        return to_svg(figure)
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
    values = sorted({float(row["C"]) for row in rows})
    ax.set_xticks(values, [f"{value:g}" for value in values], rotation=30 if len(values) > 8 else 0)
    ax.minorticks_off()
    ax.legend(frameon=False, loc="lower right")
    return to_svg(figure)
