"""How good the answers are: point figures, intervals, and paired comparison."""

import numpy as np
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from flowers.base.tables import round_floats
from flowers.learning.calibration import choose_labels
from flowers.splits import measure_leakage


def compute_bootstrap_interval(correct, groups, resamples, seed, level=0.95):
    """Percentile interval of the accuracy when whole groups are drawn again.

    Photos of one group are not independent, so the group is the unit (Field & Welsh 2007,
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
    """Means of `values` when whole groups are drawn again, shape (resamples,)."""
    _, index = np.unique(groups, return_inverse=True)
    size = np.bincount(index)
    total = np.bincount(index, weights=values)
    n = len(size)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return (drawn @ total) / (drawn @ size)


def run_mcnemar_test(correct_a, correct_b):
    """Exact two-sided McNemar test of two classifiers on the same photos.

    Returns
    -------
    dict
        ``only_first_correct``, ``only_second_correct``: photos that one alone answers right; ``p_value``: of the
        binomial test on them (McNemar 1947), 1 where there is none.
    """
    first = int(np.sum(correct_a & ~correct_b))
    second = int(np.sum(correct_b & ~correct_a))
    p = binomtest(first, first + second).pvalue if first + second else 1.0
    return {"only_first_correct": first, "only_second_correct": second, "p_value": float(p)}


def compute_reliability(confidence, correct, bins):
    """Mean confidence against accuracy in bins of equal width.

    Returns
    -------
    list of dict
        ``confidence``, ``accuracy``, ``photos`` of each bin that holds a photo.
    """
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "confidence": float(confidence[which == b].mean()),
            "accuracy": float(correct[which == b].mean()),
            "photos": int((which == b).sum()),
        }
        for b in np.unique(which)
    ]


def compute_calibration_error(rows):
    """Give the expected calibration error (Naeini et al. 2015) of the bins of `compute_reliability`."""
    photos = np.array([r["photos"] for r in rows])
    gap = np.array([abs(r["confidence"] - r["accuracy"]) for r in rows])
    return float((photos * gap).sum() / photos.sum())


def find_confidence_threshold(confidence, correct):
    """Find the confidence below which answers are wrong at least as often as right.

    Read off the reliability curve that may only rise (isotonic regression of right or wrong on
    confidence; Zadrozny & Elkan 2002), which needs no bins.

    Parameters
    ----------
    confidence : ndarray of shape (n,), float
    correct : ndarray of shape (n,), bool

    Returns
    -------
    float in [0, 1]
        0 if answers are right more often than wrong at every confidence, 1 if at none.
    """
    curve = IsotonicRegression(y_min=0, y_max=1).fit(confidence, correct).predict(confidence)
    if (curve > 0.5).all():
        return 0.0
    return float(min(confidence[curve > 0.5], default=1.0))


def compute_precision_recall(labels, probabilities, classes, points=101):
    """One-against-rest precision at evenly spaced recalls, the interpolated curve.

    Returns
    -------
    list of dict
        ``class``, ``recall``, ``precision``; `points` rows per class.
    """
    rows = []
    for k, name in enumerate(classes):
        precision, recall, _ = precision_recall_curve(labels == name, probabilities[:, k])
        # Precision at recall r: the best that any threshold with recall >= r gives.
        best = np.maximum.accumulate(precision)
        # k / (points - 1), rounded as recall itself is: linspace often ends up just above it.
        for r in np.arange(points) / (points - 1):
            at = np.searchsorted(-recall, -r, side="right") - 1
            rows.append({"class": str(name), "recall": float(r), "precision": float(best[at])})
    return rows


def compute_metrics(answers, resamples, seed, bins):
    """All figures of one classifier on the test photos.

    Parameters
    ----------
    answers : Answers
    resamples, seed, bins : int
        Of `compute_bootstrap_interval` and `compute_reliability`.

    Returns
    -------
    dict
    """
    labels, classes, probabilities = answers.labels, answers.classes, answers.probabilities
    low, high = compute_bootstrap_interval(answers.correct, answers.groups, resamples, seed)
    per_class = precision_recall_fscore_support(
        labels, answers.predicted, labels=classes, zero_division=0.0
    )
    return {
        "accuracy": accuracy_score(labels, answers.predicted),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": f1_score(labels, answers.predicted, average="macro", zero_division=0.0),
        "log_loss": log_loss(labels, probabilities, labels=classes),
        "brier": brier_score_loss(labels, probabilities, labels=classes, scale_by_half=False),
        "calibration_error": compute_calibration_error(
            compute_reliability(answers.confidence, answers.correct, bins)
        ),
        "confidence_threshold": find_confidence_threshold(answers.confidence, answers.correct),
        "uncalibrated_accuracy": accuracy_score(labels, choose_labels(classes, answers.decision)),
        "per_class": {
            str(name): {"precision": p, "recall": r, "f1": f, "photos": int(n)}
            for name, p, r, f, n in zip(classes, *per_class, strict=True)
        },
    }


def summarise_evaluation(answers, figures, trained_on):
    """Give the figures of a run: of the photos, of each model, of the two against each other.

    Parameters
    ----------
    answers : dict of model name to Answers
        Of the same photos; ``svm`` and ``nb`` are compared.
    figures : dict of model name to dict
        From `compute_metrics`.
    trained_on : ndarray of str
        Labels of the training photos: the most frequent one is the baseline.
    """
    given = answers["svm"]
    most_frequent = max(given.classes, key=lambda c: np.sum(trained_on == c))
    return {
        "photos": len(given.labels),
        "distinct": len(np.unique(given.groups)),
        "baseline_accuracy": np.mean(given.labels == most_frequent),
        **{n: {k: v for k, v in f.items() if k != "per_class"} for n, f in figures.items()},
        "svm_vs_nb": run_mcnemar_test(given.correct, answers["nb"].correct),
    }


def average_precision_recall(curves):
    """Precision against recall, the mean of the classes, one column per model.

    Parameters
    ----------
    curves : dict of model name to list of dict
        From `compute_precision_recall`, all at the same recalls.
    """
    recalls = sorted({row["recall"] for row in next(iter(curves.values()))})
    return [
        round_floats(
            {"recall": r}
            | {
                name: np.mean([row["precision"] for row in rows if row["recall"] == r])
                for name, rows in curves.items()
            }
        )
        for r in recalls
    ]


def select_summary_metrics(figures, groups, test, model_bytes):
    """Give the figures that say at a glance what a run is worth.

    Parameters
    ----------
    figures : dict of model name to dict
        With ``svm`` and ``nb``, from `compute_metrics`.
    groups : ndarray of shape (n,)
        Of all photos; twins share one.
    test : ndarray of shape (n,), bool
    model_bytes : int
        Size of the SVM's file.

    Returns
    -------
    dict of str to int or float
        Ten figures under short names, which are columns of a table. ``leakage`` is the share of the
        test photos with a twin in train, ``svm`` and ``nb`` are accuracies, ``svm_low`` and
        ``svm_high`` the ends of its interval; ``log_loss``, ``ece`` (calibration error) and
        ``model_mb`` are of the SVM.
    """
    svm = figures["svm"]
    return {
        "photos": len(groups),
        "distinct": len(np.unique(groups)),
        "leakage": measure_leakage(groups, test),
        "svm": svm["accuracy"],
        "svm_low": svm["accuracy_low"],
        "svm_high": svm["accuracy_high"],
        "nb": figures["nb"]["accuracy"],
        "log_loss": svm["log_loss"],
        "ece": svm["calibration_error"],
        "model_mb": model_bytes / 1e6,
    }
