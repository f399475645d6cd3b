"""Explanation of an alert: what changed, by how much, which predictions show it, what to do."""

import numpy as np

from flowers.drift.detector import (
    COVARIATE_SHIFT,
    LABEL_SHIFT,
    PERFORMANCE,
    classify_change,
    get_changed_span,
)
from flowers.drift.history import RIDGE
from flowers.drift.label_shift import (
    compute_critical_value,
    compute_proportions,
    estimate_changes,
)
from flowers.images.statistics import STATISTIC_NAMES
from flowers.log.record import UNKNOWN

SCORES_NAMED = 3
UNUSUAL = 20  # predictions to look up
MIN_SD = 0.01  # of a score: one that is nearly constant in the reference set does not dominate
ACTIONS = {
    COVARIATE_SHIFT: "Look at the photos of the requests below. A broken camera, decoder or client "
    "is fixed there; photos that will stay need labels and a new model.",
    LABEL_SHIFT: "Check whether these class proportions are expected, such as a season. Each class "
    "is predicted as before; train a new model if they will stay.",
    PERFORMANCE: "Look at the wrong predictions below, and train a new model with their labels.",
}


def explain_alert(stream, params):
    """Explain the alert of a stream.

    Parameters
    ----------
    stream : flowers.drift.report.MonitoredStream
        With an alert.
    params : dict
        ``alpha`` and ``window``.

    Returns
    -------
    dict
        ``kind``, ``detected_by``, ``change_started_at``, ``detected_at``, ``action``; ``scores``
        that moved most and ``image_statistics`` that differ; ``class_proportions``, only after
        label shift; ``unusual``, the predictions since the change that show it most.
    """
    alert = stream.alert
    reference = stream.reference
    span = get_changed_span(alert, params["window"])
    kind = classify_change(alert, stream.detection.tests, params)
    rows = stream.rows
    figures = {
        "kind": kind,
        "detected_by": alert.detector,
        "change_started_at": str(rows["time"][alert.change_start]),
        "detected_at": str(rows["time"][alert.position]),
        "action": ACTIONS[kind],
    }
    changed = rows[span]
    if kind == COVARIATE_SHIFT:
        figures["scores"] = describe_scores(stream.detection, span)
    if kind == LABEL_SHIFT:
        figures["class_proportions"] = estimate_class_proportions(
            reference, changed["probabilities"], params["alpha"]
        )
    figures["image_statistics"] = compare_images(reference.image, changed["image"], params["alpha"])
    order = np.argsort(-measure_unusualness(stream, kind, span), kind="stable")[:UNUSUAL]
    figures["unusual"] = [describe_prediction(changed[i], reference.classes) for i in order]
    return figures


def describe_scores(detection, span):
    """Describe the adjusted scores whose mean moved most in a slice of the stream.

    Returns
    -------
    list of dict
        ``score``, its ``change`` in standard deviations of the reference set, and ``meaning``.
    """
    before, _ = detection.before
    scores, _ = detection.now
    change = scores[span].mean(axis=0) - before.mean(axis=0)
    change /= np.maximum(before.std(axis=0), MIN_SD)
    moved = np.argsort(-np.abs(change), kind="stable")[:SCORES_NAMED]
    return [_describe_score(*detection.score_names[i], float(change[i])) for i in moved]


def _describe_score(name, begin, end, change):
    meaning = f"{begin}{'more' if change > 0 else 'less'} {end}"
    return {"score": name, "change": change, "meaning": meaning}


def measure_unusualness(stream, kind, span):
    """Measure how much each prediction since the change shows it, (k,); higher is more."""
    if kind == PERFORMANCE:
        changed = stream.rows[span]
        wrong = changed["probabilities"].argmax(axis=1) != changed["truth"]
        return changed["probabilities"].max(axis=1) * wrong * (changed["truth"] != UNKNOWN)
    table = 0 if kind == COVARIATE_SHIFT else 1  # scores, or class proportions
    before = stream.detection.before[table]
    now = stream.detection.now[table][span]
    # The direction of Fisher's linear discriminant between the reference set and the change.
    size = np.maximum(before.std(axis=0), MIN_SD)
    correlation = np.atleast_2d(np.corrcoef(np.concatenate([before, now]).T))
    correlation = np.nan_to_num(correlation) + RIDGE * np.eye(len(size))
    direction = np.linalg.solve(correlation, (now.mean(axis=0) - before.mean(axis=0)) / size)
    return (now / size) @ direction


def describe_prediction(row, classes):
    """Describe a row of the log, so that a person can find the photo."""
    probabilities = row["probabilities"]
    return {
        "request_id": row["request_id"].decode("ascii", "replace"),
        "index": int(row["index"]),
        "time": str(row["time"]),
        "label": classes[int(probabilities.argmax())],
        "confidence": float(probabilities.max()),
    }


def estimate_class_proportions(reference, probabilities, alpha):
    """Estimate each class proportion of predictions (BBSE).

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    probabilities : ndarray of shape (n, n_classes)
    alpha : float
        The intervals cover all classes together with probability 1 - alpha.

    Returns
    -------
    dict of class to dict
        ``estimate``, ``low``, ``high``, and ``reference``, the proportion in the reference set.
    """
    change, noise = estimate_changes(reference, probabilities)
    before = compute_proportions(reference)
    margin = compute_critical_value(len(before), alpha) * noise
    ends = (before + change, before + change - margin, before + change + margin, before)
    rows = np.clip(np.stack(ends, axis=1), 0, 1).tolist()
    names = ("estimate", "low", "high", "reference")
    return {
        c: dict(zip(names, row, strict=True))
        for c, row in zip(reference.classes, rows, strict=True)
    }


def compare_images(reference, image, alpha):
    """Compare the image statistics of photos with those of the reference set.

    Kolmogorov-Smirnov tests of all columns together (Holm). A column with NaN is not compared:
    earlier versions did not store every statistic.

    Parameters
    ----------
    reference, image : ndarray of shape (m, d), (n, d)
        Columns in the order of ``STATISTIC_NAMES``.
    alpha : float

    Returns
    -------
    dict of name to dict
        Statistics that differ: mean in the ``reference`` and ``now``.
    """
    from scipy.stats import ks_2samp  # scipy.stats takes half a second, seldom needed

    complete = np.isfinite(reference).all(axis=0) & np.isfinite(image).all(axis=0)
    p_values = np.full(len(complete), np.inf)
    for i in np.flatnonzero(complete):
        p_values[i] = ks_2samp(reference[:, i], image[:, i], method="asymp").pvalue
    order = np.argsort(p_values, kind="stable")
    factors = np.maximum(complete.sum() - np.arange(len(order)), 1)
    passed = np.logical_and.accumulate(p_values[order] * factors <= alpha)
    return {
        STATISTIC_NAMES[i]: {
            "reference": float(reference[:, i].mean()),
            "now": float(image[:, i].mean()),
        }
        for i in sorted(order[passed])
    }
