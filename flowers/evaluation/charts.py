"""Charts of an evaluation as SVG, the same bytes for the same numbers."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from flowers.base.plots import to_svg


def plot_evaluation(answers, bins, curves, attempts):
    """Draw all charts of an evaluation.

    Parameters
    ----------
    answers : dict of model name to Answers
        Of the same photos.
    bins : dict of model name to list of dict
        As of `plot_reliability`.
    curves : dict of model name to list of dict
        As of `plot_precision_recall`.
    attempts : list of dict
        As of `plot_tuning`.

    Returns
    -------
    dict of name to SVG text
    """
    any_one = next(iter(answers.values()))
    answered = {name: given.predicted for name, given in answers.items()}
    return {
        "confusion": plot_confusion(any_one.labels, answered, any_one.classes),
        "reliability": plot_reliability(bins),
        "recall": plot_precision_recall(curves),
        "tuning": plot_tuning(attempts),
    }


def plot_confusion(labels, answers, classes):
    """Confusion matrices side by side.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    answers : dict of model name to ndarray of shape (n,), str
    classes : sequence of str
    """
    figure = Figure(figsize=(4.4 * len(answers), 3.8), layout="constrained")
    axes = figure.subplots(1, len(answers), squeeze=False)[0]
    for ax, (name, answer) in zip(axes, answers.items(), strict=True):
        counts = confusion_matrix(labels, answer, labels=classes)
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(share, cmap="Greens", vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            ax.text(j, i, count, ha="center", va="center", color="w" if share[i, j] > 0.6 else "k")
        ax.set_xticks(range(len(classes)), classes, rotation=30)
        ax.set_yticks(range(len(classes)), classes)
        ax.set(title=name, xlabel="answer", ylabel="label")
    return to_svg(figure)


def plot_reliability(curves):
    """Accuracy against confidence; the diagonal is perfect calibration.

    Parameters
    ----------
    curves : dict of model name to list of dict
        The bins of `flowers.evaluation.metrics.compute_reliability`.
    """
    figure = Figure(figsize=(4.2, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    for name, rows in curves.items():
        points = [(r["confidence"], r["accuracy"]) for r in rows]
        ax.plot(*zip(*points, strict=True), marker="o", label=name)
        for (x, y), row in zip(points, rows, strict=True):
            ax.annotate(row["photos"], (x, y), xytext=(3, -9), textcoords="offset points", size=7)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean confidence", ylabel="accuracy")
    ax.set_title("Reliability (photos in each bin)")
    ax.legend(frameon=False)
    return to_svg(figure)


def plot_precision_recall(curves):
    """Precision against recall, one panel per model, one line per class.

    Parameters
    ----------
    curves : dict of model name to list of dict
        The rows of `flowers.evaluation.metrics.compute_precision_recall`.
    """
    figure = Figure(figsize=(4.2 * len(curves), 3.6), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False)[0]
    for ax, (name, rows) in zip(axes, curves.items(), strict=True):
        for label in dict.fromkeys(r["class"] for r in rows):
            line = [(r["recall"], r["precision"]) for r in rows if r["class"] == label]
            ax.plot(*zip(*line, strict=True), label=label)
        ax.set(title=name, xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes[0].legend(frameon=False, loc="lower left")
    return to_svg(figure)


def plot_tuning(rows):
    """Accuracy on held-out folds against C, a line per gamma; the chosen one is ringed.

    Parameters
    ----------
    rows : list of dict
        Of `flowers.learning.tuning.Tuning.table`; ``random`` may be empty.
    """
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    ax = figure.subplots()
    gammas = sorted({float(row["gamma"]) for row in rows})
    for number, gamma in enumerate(gammas):
        of_gamma = [row for row in rows if float(row["gamma"]) == gamma]
        of_gamma.sort(key=lambda row: float(row["C"]))
        ending = f", gamma {gamma:.3g}" if len(gammas) > 1 else ""
        for kind, told, style in (
            ("grouped", "twins kept together", "-"),
            ("random", "random folds", ":"),
        ):
            points = [(float(row["C"]), float(row[kind])) for row in of_gamma if row[kind] != ""]
            if points:
                line = {"color": f"C{number}", "linestyle": style, "marker": "."}
                ax.plot(*zip(*points, strict=True), label=told + ending, **line)
    for row in rows:
        if int(row["chosen"]):
            at = float(row["C"]), float(row["grouped"])
            ax.plot(*at, "o", markersize=12, fillstyle="none", color="0.3")
    ax.set(xscale="log", xlabel="C", ylabel="accuracy on held-out folds of train", ylim=(0, 1))
    ax.legend(frameon=False, loc="lower right")
    return to_svg(figure)
