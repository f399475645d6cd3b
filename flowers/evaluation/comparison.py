"""Paired comparison of models on the same test images, in one run and between runs."""

from collections import Counter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers.base.errors import BadInput
from flowers.base.tables import format_share
from flowers.evaluation.metrics import resample_group_means, run_mcnemar_test
from flowers.evaluation.predictions import find_most_accurate


def compare_paired(correct_a, correct_b, groups, resamples, seed):
    """Compare two classifiers on the same images.

    Parameters
    ----------
    correct_a, correct_b : ndarray of shape (n,), bool
    groups : ndarray of shape (n,)
        Resampled as a whole, see `resample_group_means`.
    resamples, seed : int

    Returns
    -------
    dict
        ``photos``; ``accuracy`` of both; the ``difference`` of the second from the first with the
        ends ``low`` and ``high`` of its 95 % interval; and the keys of `run_mcnemar_test`.
    """
    gain = correct_b.astype(float) - correct_a
    low, high = np.quantile(resample_group_means(gain, groups, resamples, seed), [0.025, 0.975])
    return {
        "photos": len(gain),
        "accuracy": (float(correct_a.mean()), float(correct_b.mean())),
        "difference": float(gain.mean()),
        "low": float(low),
        "high": float(high),
    } | run_mcnemar_test(correct_a, correct_b)


def summarise_evaluation(predictions, metrics, train_labels, resamples, seed):
    """Summarise a run: the test part, the metrics of each model and their comparison.

    Parameters
    ----------
    predictions : dict of model name to Predictions
        On the same images; the first is compared with each other.
    metrics : dict of model name to dict
        From `flowers.evaluation.metrics.compute_metrics`.
    train_labels : ndarray of str
        The baseline predicts the most frequent one.
    resamples, seed : int
        See `compare_paired`, whose results but for ``photos`` and ``accuracy`` are the values of
        the keys ``{first}_vs_{other}``.
    """
    name, *others = predictions
    first = predictions[name]
    most_frequent = max(first.classes, key=lambda c: np.sum(train_labels == c))
    tests = {}
    for other in others:
        pair = (first.correct, predictions[other].correct)
        result = compare_paired(*pair, first.groups, resamples, seed)
        del result["photos"], result["accuracy"]
        tests[f"{name}_vs_{other}"] = result
    return {
        "photos": len(first.labels),
        "distinct": len(np.unique(first.groups)),
        "classifiers": {n: model.classifier for n, model in predictions.items()},
        "most_accurate": find_most_accurate(predictions),
        "baseline_accuracy": np.mean(first.labels == most_frequent),
        **{n: {k: v for k, v in m.items() if k != "per_class"} for n, m in metrics.items()},
        **tests,
    }


def format_accuracy(name, metrics):
    """Format the accuracy of a model from `flowers.evaluation.metrics.compute_metrics`."""
    return f"{name.upper()} {format_share(metrics['accuracy'])}"


def describe_accuracy(evaluation):
    """Describe the accuracies of `summarise_evaluation` in one line."""
    models = {n: m for n, m in evaluation.items() if isinstance(m, dict) and "accuracy" in m}
    first = next(iter(models.values()))
    accuracies = list(map(format_accuracy, models, models.values()))
    low, high = (format_share(first[f"accuracy_{end}"]) for end in ("low", "high"))
    accuracies[0] += f" ({low} to {high})"
    line = f"{', '.join(accuracies)}, baseline {format_share(evaluation['baseline_accuracy'])}"
    kept = {n: m["without_leaked"] for n, m in models.items() if "without_leaked" in m}
    if kept:
        accuracies = [format_accuracy(name, m) for name, m in kept.items() if m["photos"]]
        line += f"; without the test photos that leak: {', '.join(accuracies) or 'none remains'}"
    return line


def list_models(table):
    """List the models whose predictions a table holds."""
    return [name for name in table if any(column.startswith(f"{name}_") for column in table)]


def match_images(first, second):
    """Match the rows of two tables of predictions that hold the same image and label.

    Parameters
    ----------
    first, second : dict of column to ndarray of str
        With ``sha256``, ``label`` and ``group``.

    Returns
    -------
    rows_first, rows_second : ndarray of int
        Positions, in the order of the first table.
    groups : ndarray of int
        Images that share a group in either table share one here.
    """
    positions = {key: position for position, key in enumerate(_identify_images(second))}
    keys = enumerate(_identify_images(first))
    matches = [(row, positions[key]) for row, key in keys if key in positions]
    rows = np.array(matches, dtype=int).reshape(-1, 2)
    groups = _join_groups(first["group"][rows[:, 0]], second["group"][rows[:, 1]])
    return rows[:, 0], rows[:, 1], groups


def _identify_images(table):
    """Yield a key per image: content, label and the number of the copy."""
    counts = Counter()
    for image in zip(table["sha256"].tolist(), table["label"].tolist(), strict=True):
        counts[image] += 1
        yield *image, counts[image]


def _join_groups(first, second):
    """Label the connected components of two groupings of the same images."""
    names_first, index_first = np.unique(first, return_inverse=True)
    names_second, index_second = np.unique(second, return_inverse=True)
    size = len(names_first) + len(names_second)
    ends = (index_first, len(names_first) + index_second)
    edges = coo_array((np.ones(len(first)), ends), shape=(size, size))
    return connected_components(edges, directed=False)[1][index_first]


def compare_runs(first, second, models, resamples, seed):
    """Compare the predictions of two runs on the test images that both have; see `compare_paired`.

    Parameters
    ----------
    first, second : dict of column to ndarray of str
        Tables of predictions.
    models : pair of str
        Name of the model in the first and in the second table.

    Raises
    ------
    BadInput
        If no test image is in both.
    """
    rows_first, rows_second, groups = match_images(first, second)
    if not len(rows_first):
        raise BadInput("no test image is in both runs: compare runs on the same images and split")
    correct_first = (first[models[0]] == first["label"])[rows_first]
    correct_second = (second[models[1]] == second["label"])[rows_second]
    return compare_paired(correct_first, correct_second, groups, resamples, seed)
