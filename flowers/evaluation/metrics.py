"""Metrics of a classifier on the test images: point estimates, intervals, calibration, curves."""

from pathlib import Path

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics as scores
from sklearn.isotonic import IsotonicRegression

from flowers.base.intervals import compute_wilson_interval
from flowers.base.tables import round_floats
from flowers.learning.calibration import choose_labels
from flowers.splits import measure_leakage


def compute_bootstrap_interval(correct, groups, resamples, seed, level=0.95):
    """Compute the percentile interval of the accuracy by the group bootstrap.

    Near-duplicates are not independent, so whole groups are resampled (Field & Welsh 2007,
    "Bootstrapping clustered data": the cluster bootstrap).

    Parameters
    ----------
    correct : ndarray of shape (n,), bool
    groups : ndarray of shape (n,)
    resamples : int
    seed : int
    level : float in (0, 1)

    Returns
    -------
    low, high : float
    """
    means = resample_group_means(correct, groups, resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resample_group_means(values, groups, resamples, seed):
    """Compute the mean of `values` in each resample of whole groups.

    Parameters
    ----------
    values, groups : ndarray of shape (n,)
    resamples, seed : int

    Returns
    -------
    ndarray of shape (resamples,), float64
    """
    _, index = np.unique(groups, return_inverse=True)
    size = np.bincount(index)
    total = np.bincount(index, weights=values)
    n = len(size)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return (counts @ total) / (counts @ size)


def run_mcnemar_test(correct_a, correct_b):
    """Run the exact two-sided McNemar test of two classifiers on the same images (McNemar 1947).

    Parameters
    ----------
    correct_a, correct_b : ndarray of shape (n,), bool

    Returns
    -------
    dict
        ``only_first_correct``, ``only_second_correct``: images that one classifier alone predicts
        correctly; ``p_value``: of the binomial test on the two counts, 1 if both are 0.
    """
    first = int(np.sum(correct_a & ~correct_b))
    second = int(np.sum(correct_b & ~correct_a))
    p = binomtest(first, first + second).pvalue if first + second else 1.0
    return {"only_first_correct": first, "only_second_correct": second, "p_value": float(p)}


def compute_reliability(confidence, correct, groups, bins):
    """Compute mean confidence and accuracy in bins of equal count (reliability diagram).

    Images of equal confidence share a bin. The interval of the accuracy is that of Wilson (1927),
    which Brown, Cai & DasGupta (2001, *Statistical Science* 16) recommend for small samples.
    Near-duplicates are not independent, so its sample size is the number of groups in the bin.

    Parameters
    ----------
    confidence : ndarray of shape (n,), float in [0, 1]
    correct : ndarray of shape (n,), bool
    groups : ndarray of shape (n,)
        Near-duplicates share a group.
    bins : int
        Fewer result if images have equal confidence, or if there are fewer images.

    Returns
    -------
    list of dict
        ``confidence``, ``accuracy``, ``low`` and ``high`` (the 95 % interval), ``photos`` and
        ``groups`` of each bin.
    """
    edges = np.quantile(confidence, np.arange(1, bins) / bins)
    index = np.searchsorted(edges, confidence, side="right")
    rows = []
    for b in np.unique(index):
        rows_of_bin = index == b
        accuracy = float(correct[rows_of_bin].mean())
        size = len(np.unique(groups[rows_of_bin]))
        low, high = compute_wilson_interval(accuracy, size)
        row = {"confidence": float(confidence[rows_of_bin].mean()), "accuracy": accuracy}
        row |= {"low": low, "high": high, "photos": int(rows_of_bin.sum()), "groups": size}
        rows.append(row)
    return rows


def compute_calibration_error(rows):
    """Compute the expected calibration error (Naeini et al. 2015) from `compute_reliability`.

    Bins of equal count bias it less than bins of equal width (Roelofs et al. 2022, "Mitigating bias
    in calibration error estimation").
    """
    photos = np.array([row["photos"] for row in rows])
    gap = np.array([abs(row["confidence"] - row["accuracy"]) for row in rows])
    return float((photos * gap).sum() / photos.sum())


def find_confidence_threshold(confidence, correct):
    """Find the confidence below which predictions are wrong at least as often as correct.

    It is read from the isotonic regression of `correct` on `confidence` (Zadrozny & Elkan 2002),
    a reliability curve without bins.

    Parameters
    ----------
    confidence : ndarray of shape (n,), float
    correct : ndarray of shape (n,), bool

    Returns
    -------
    float in [0, 1]
        0 if predictions are mostly correct at every confidence, 1 if they are at none.
    """
    curve = IsotonicRegression(y_min=0, y_max=1).fit(confidence, correct).predict(confidence)
    if (curve > 0.5).all():
        return 0.0
    return float(min(confidence[curve > 0.5], default=1.0))


def compute_precision_recall(labels, probabilities, classes, points=101):
    """Compute the interpolated precision-recall curve of each class against the rest.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    probabilities : ndarray of shape (n, n_classes)
    classes : sequence of str
    points : int
        Evenly spaced recalls per curve.

    Returns
    -------
    list of dict
        ``class``, ``recall``, ``precision``; `points` rows per class.
    """
    rows = []
    for k, name in enumerate(classes):
        precision, recall, _ = scores.precision_recall_curve(labels == name, probabilities[:, k])
        # Precision at recall r: the best of all thresholds with recall >= r.
        best = np.maximum.accumulate(precision)
        # k / (points - 1) is rounded as recall is; linspace is often one bit larger.
        for r in np.arange(points) / (points - 1):
            at = np.searchsorted(-recall, -r, side="right") - 1
            rows.append({"class": str(name), "recall": float(r), "precision": float(best[at])})
    return rows


def compute_curves(predictions, bins):
    """Compute reliability and precision-recall curves, two dicts of model name to rows."""
    reliability = {}
    curves = {}
    for name, model in predictions.items():
        data = (model.confidence, model.correct, model.groups)
        reliability[name] = compute_reliability(*data, bins)
        curves[name] = compute_precision_recall(model.labels, model.probabilities, model.classes)
    return reliability, curves


def build_curve_tables(reliability, curves, models):
    """Build the tables of the curves of `compute_curves`, rounded.

    Parameters
    ----------
    reliability, curves : dict of model name to list of dict
    models : iterable of str
        The models whose reliability has a table: those that every run has.

    Returns
    -------
    dict of file name without suffix to list of dict
        ``reliability_{model}``; ``recall``: precision of each model, averaged over the classes.
    """
    rows = []
    for recall in sorted({row["recall"] for row in next(iter(curves.values()))}):
        means = {
            name: np.mean([row["precision"] for row in curve if row["recall"] == recall])
            for name, curve in curves.items()
        }
        rows.append({"recall": recall} | means)
    tables = {f"reliability_{name}": reliability[name] for name in models}
    return round_floats(tables | {"recall": rows})


def compute_metrics(predictions, resamples, seed, bins):
    """Compute all metrics of one classifier on the test images.

    Parameters
    ----------
    predictions : Predictions
    resamples, seed : int
        See `compute_bootstrap_interval`.
    bins : int
        See `compute_reliability`.

    Returns
    -------
    dict
        The key ``per_class`` holds a dict per class.
    """
    labels = predictions.labels
    predicted = predictions.predicted
    correct = predictions.correct
    classes = predictions.classes
    probabilities = predictions.probabilities
    low, high = compute_bootstrap_interval(correct, predictions.groups, resamples, seed)
    reliability = compute_reliability(predictions.confidence, correct, predictions.groups, bins)
    per_class = scores.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0.0
    )
    uncalibrated = choose_labels(classes, predictions.decision)
    return {
        "accuracy": scores.accuracy_score(labels, predicted),
        "accuracy_low": low,
        "accuracy_high": high,
        **measure_without_leaked(predictions, resamples, seed),
        "macro_f1": scores.f1_score(labels, predicted, average="macro", zero_division=0.0),
        "log_loss": scores.log_loss(labels, probabilities, labels=classes),
        "brier": scores.brier_score_loss(
            labels, probabilities, labels=classes, scale_by_half=False
        ),
        "calibration_error": compute_calibration_error(reliability),
        "confidence_threshold": find_confidence_threshold(predictions.confidence, correct),
        "uncalibrated_accuracy": scores.accuracy_score(labels, uncalibrated),
        "per_class": {
            str(name): {"precision": p, "recall": r, "f1": f, "photos": int(n)}
            for name, p, r, f, n in zip(classes, *per_class, strict=True)
        },
    }


def measure_without_leaked(predictions, resamples, seed):
    """Measure the accuracy on the test images that have no near-duplicate in train.

    Parameters
    ----------
    predictions : Predictions
    resamples, seed : int
        See `compute_bootstrap_interval`.

    Returns
    -------
    dict
        Empty if no image leaks. Otherwise under ``without_leaked`` the number of ``photos``, and if
        there are any ``accuracy``, ``accuracy_low`` and ``accuracy_high``.
    """
    if predictions.leaked is None or not predictions.leaked.any():
        return {}
    kept = ~predictions.leaked
    figures = {"photos": int(kept.sum())}
    if kept.any():
        correct = predictions.correct[kept]
        low, high = compute_bootstrap_interval(correct, predictions.groups[kept], resamples, seed)
        figures |= {"accuracy": correct.mean(), "accuracy_low": low, "accuracy_high": high}
    return {"without_leaked": figures}


def build_class_rows(metrics):
    """Build a table with one row per model and class from the results of `compute_metrics`."""
    return [
        {"model": name, "class": label} | round_floats(values)
        for name, figures in metrics.items()
        for label, values in figures["per_class"].items()
    ]


def select_model_rows(table, name):
    """Select the rows of one model from the table of `build_class_rows`, as numbers."""
    rows = np.flatnonzero(table["model"] == name)
    types = {"class": str, "precision": float, "recall": float, "f1": float, "photos": int}
    return [{key: convert(table[key][i]) for key, convert in types.items()} for i in rows]


def select_summary_metrics(metrics, groups, test, model_path):
    """Select the summary metrics, which DVC compares between runs.

    Parameters
    ----------
    metrics : dict of model name to dict
        From `compute_metrics`.
    groups : ndarray of shape (n,)
        Of all images; near-duplicates share one.
    test : ndarray of shape (n,), bool
    model_path : str or Path
        The first model's file.

    Returns
    -------
    dict of str to int or float
        ``leakage`` is the share of test images with a near-duplicate in train; the name of a model
        is the key of its accuracy. ``{first}_low`` and ``{first}_high`` (the interval),
        ``log_loss``, ``ece`` (expected calibration error) and ``model_mb`` are the first model's.
    """
    name, *others = metrics
    first = metrics[name]
    return {
        "photos": len(groups),
        "distinct": len(np.unique(groups)),
        "leakage": measure_leakage(groups, test),
        name: first["accuracy"],
        f"{name}_low": first["accuracy_low"],
        f"{name}_high": first["accuracy_high"],
        **{other: metrics[other]["accuracy"] for other in others},
        "log_loss": first["log_loss"],
        "ece": first["calibration_error"],
        "model_mb": Path(model_path).stat().st_size / 1e6,
    }
