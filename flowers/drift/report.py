"""The drift report: state, performance check, alert and figures of a stream of predictions."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from flowers.drift import label_shift
from flowers.drift.detector import (
    LABELS,
    Alert,
    Detection,
    Stream,
    classify_change,
    detect,
    keep_one_per_group,
    select_changed_rows,
)
from flowers.drift.performance import DROP, IMPROVEMENT, check_performance, compute_labels_needed
from flowers.drift.windows import (
    Windows,
    adjust_holm,
    compare_adjusted,
    compare_windows,
    count_predicted,
    run_kolmogorov_smirnov,
)
from flowers.images.statistics import STATISTIC_NAMES
from flowers.log.record import UNKNOWN

MIN_PREDICTIONS = 100  # predictions for a comparison, and for the state "ok"
# Newest labels that the performance check reads where no number of labels would be enough.
LABELS_READ = 200
N_DRAWS = 2000  # simulated pairs of samples in `compute_l1_noise`
LEVEL = 0.95  # of intervals
Z = ndtri((1 + LEVEL) / 2)


@dataclass(frozen=True)
class MonitoredStream:
    """Rows of the log with the results of drift detection and the performance check.

    Attributes
    ----------
    reference : flowers.model.reference.Reference
        One row per near-duplicate group.
    rows : ndarray of shape (n,)
        From ``flowers.log.table.read_log``.
    detection : Detection
    alert : Alert or None
        The alert of the detection, or else of the performance check.
    windows : Windows
    performance : dict
        From ``flowers.drift.performance.check_performance``.
    """

    reference: object
    rows: np.ndarray
    detection: Detection
    alert: Alert | None
    windows: Windows
    performance: dict


def monitor_rows(reference, rows, params):
    """Run drift detection, the comparison of windows and the performance check.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    rows : ndarray of shape (n,)
        From ``flowers.log.table.read_log``.
    params : dict
        Section ``drift`` of params.yaml.

    Returns
    -------
    MonitoredStream
    """
    reference = keep_one_per_group(reference)
    rows = np.array(rows)
    windows = Windows.from_stream(
        reference, rows["probabilities"], params["window"], params["proportion_tolerance"]
    )
    detection = detect(reference, Stream.from_rows(rows), params)
    alert = detection.alert
    performance, labelled = _check_labels(reference, rows, alert, params)
    if alert is None and performance["status"] == DROP:
        alert = Alert(LABELS, int(labelled[0]), int(labelled[-1]))
    return MonitoredStream(reference, rows, detection, alert, windows, performance)


def _check_labels(reference, rows, alert, params):
    """Check performance on the labels since a change, or on the newest ones without an alert."""
    correct = reference.probabilities.argmax(axis=1) == reference.truth
    max_drop = params["max_accuracy_drop"]
    alpha = params["label_alpha"]
    labelled = np.flatnonzero(rows["truth"] != UNKNOWN)
    if alert is None:
        needed = compute_labels_needed(correct.mean(), len(correct), max_drop, alpha)
        labelled = labelled[-(needed or LABELS_READ) :]
    else:
        labelled = labelled[labelled >= alert.change_start]
    recent = rows[labelled]
    recent_correct = recent["probabilities"].argmax(axis=1) == recent["truth"]
    return check_performance(recent_correct, correct, max_drop, alpha), labelled


def build_drift_report(stream, alert_state, classes, params):
    """Build the report, most important members first.

    Parameters
    ----------
    stream : MonitoredStream
    alert_state : dict
        ``alert``: the stored alert, until it is acknowledged; ``acknowledged``: time of the last
        acknowledgement. Each may be None.
    classes : sequence of str
    params : dict

    Returns
    -------
    dict
    """
    rows = stream.rows
    windows = stream.windows
    stored = alert_state["alert"]
    alert = stored or describe_alert(stream, classes, params)
    changed = windows.find_changed_proportions(params["alpha"])
    report = {
        "state": choose_state(len(rows), alert, stream.performance["status"], changed),
        "performance": stream.performance,
        "alert": alert and alert | {"stored": stored is not None},
        "reference": {
            "distinct": len(stream.reference.truth),
            "confidence": stream.reference.probabilities.max(axis=1).mean(),
            "accuracy": stream.performance["reference_accuracy"],
        },
        "windows": {
            "compared": len(windows.spans),
            "differ": int(windows.find_differing(params["alpha"]).sum()),
            "proportion_changed": int(changed.any(axis=1).sum()),
        },
    }
    if not len(rows):
        if alert_state["acknowledged"] and not alert:  # there were predictions before
            report["state"] = "warming up"
        return report
    log_wealth = stream.detection.log_wealth
    wealth = [float(np.exp(min(log, 700))) for log in (log_wealth[-1], log_wealth.max())]
    report["wealth"] = dict(zip(("current", "highest"), wealth, strict=True))
    report["newest_window"] = describe_newest(stream, classes, params)
    report["all_predictions"] = compute_accuracy(rows["probabilities"], rows["truth"])
    return report


def choose_state(count, alert, status, changed):
    """Choose the state; a change that improved accuracy is only a notice.

    Parameters
    ----------
    count, alert, status : int, dict or None, str
        Number of predictions, described alert, and status of the performance check.
    changed : ndarray of shape (k, n_classes)
        From ``Windows.find_changed_proportions``.
    """
    if alert:
        return "notice" if status == IMPROVEMENT else "alert"
    if count < MIN_PREDICTIONS:
        return "warming up" if count else "no predictions"
    return "notice" if len(changed) and changed[-1].any() else "ok"


def describe_alert(stream, classes, params):
    """Describe the alert of a stream.

    Parameters
    ----------
    stream : MonitoredStream
    classes : sequence of str
    params : dict
        ``alpha``, ``window``.

    Returns
    -------
    dict or None
        ``classes`` and ``image_statistics`` are those that differ since the change, classes after
        adjustment for label shift. None without an alert.
    """
    alert = stream.alert
    reference = stream.reference
    if alert is None:
        return None
    changed = select_changed_rows(alert, stream.rows, params["window"])
    (p_values,), *_ = compare_adjusted(reference, changed["probabilities"][None])
    probabilities = stream.rows["probabilities"]
    return {
        "detected_at": str(stream.rows["time"][alert.position]),
        "change_started_at": str(stream.rows["time"][alert.change_start]),
        "detected_by": alert.detector,
        "kind": classify_change(alert, stream.detection.tests, reference, probabilities, params),
        "classes": [c for c, p in zip(classes, p_values, strict=True) if p <= params["alpha"]],
    } | _describe_change(reference, changed, classes, params["alpha"])


def _describe_change(reference, rows, classes, alpha):
    """Name the image statistics of rows that differ, and estimate their class proportions."""
    names = find_image_differences(reference.image, rows["image"], alpha)
    estimates = estimate_class_proportions(reference, rows["probabilities"], classes, alpha)
    return {"image_statistics": names, "class_proportions": estimates}


def describe_newest(stream, classes, params):
    """Describe the newest window; from ``MIN_PREDICTIONS`` predictions on, with tests.

    Parameters and result are as in `describe_alert` and `describe_window`.
    """
    reference = stream.reference
    rows = stream.rows[-params["window"] :]
    probabilities = rows["probabilities"]
    figures = {"from": str(rows["time"][0]), "to": str(rows["time"][-1])}
    figures |= describe_window(
        reference.probabilities, probabilities, rows["truth"], classes, params["seed"]
    )
    if len(rows) < MIN_PREDICTIONS:
        return figures
    (p_values,), (effects,) = compare_windows(reference.probabilities, probabilities[None])
    adjusted = [*compare_adjusted(reference, probabilities[None])[0][0].tolist(), None]
    names = ("p_value", "effect", "p_value_label_shift_adjusted")
    tests = zip(p_values.tolist(), effects.tolist(), adjusted, strict=True)
    tests = [dict(zip(names, values, strict=True)) for values in tests]
    figures["tests"] = dict(zip((*classes, "labels"), tests, strict=True))
    return figures | _describe_change(reference, rows, classes, params["alpha"])


def describe_window(reference, probabilities, truth, classes, seed):
    """Compute the figures of a window against the reference set.

    Parameters
    ----------
    reference, probabilities : ndarray of shape (m, n_classes), (n, n_classes)
    truth : ndarray of shape (n,), int
        Class indices, ``UNKNOWN`` without a true label.
    classes : sequence of str
    seed : int
        Seed of `compute_l1_noise`.

    Returns
    -------
    dict
        ``shares`` of the predicted classes, ``l1``: their distance from the reference set. The
        interval of ``confidence_drop`` is normal, with unequal variances.
    """
    m = len(reference)
    n = len(probabilities)
    expected = count_predicted(reference) / m
    shares = count_predicted(probabilities) / n
    before = reference.max(axis=1)
    confidence = probabilities.max(axis=1)
    drop = float(before.mean() - confidence.mean())
    margin = Z * np.sqrt(before.var() / m + confidence.var() / n)
    return {
        "predictions": n,
        "shares": dict(zip(classes, shares.tolist(), strict=True)),
        "l1": float(np.abs(shares - expected).sum()),
        "l1_noise": compute_l1_noise(expected, m, n, seed),
        "confidence": float(confidence.mean()),
        "confidence_drop": drop,
        "confidence_drop_low": drop - margin,
        "confidence_drop_high": drop + margin,
    } | compute_accuracy(probabilities, truth)


def compute_l1_noise(shares, m, n, seed):
    """Simulate the quantile ``LEVEL`` of the L1 distance of class shares without any shift.

    Parameters
    ----------
    shares : ndarray of shape (n_classes,)
    m, n, seed : int
        Sizes of the two samples that are drawn, and seed.
    """
    rng = np.random.default_rng(seed)
    first = rng.multinomial(m, shares, N_DRAWS) / m
    second = rng.multinomial(n, shares, N_DRAWS) / n
    return float(np.quantile(np.abs(first - second).sum(axis=1), LEVEL))


def compute_accuracy(probabilities, truth):
    """Compute accuracy and Wilson interval of the labelled predictions.

    Parameters
    ----------
    probabilities, truth : ndarray of shape (n, n_classes), (n,)
        Predictions, and class indices, ``UNKNOWN`` without a true label.

    Returns
    -------
    dict
        ``coverage`` is the share that is labelled; accuracies are None without labels.
    """
    is_labelled = truth != UNKNOWN
    labelled = int(is_labelled.sum())
    figures = {"labelled": labelled, "coverage": labelled / len(truth)}
    if not labelled:
        return figures | dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high"))
    right = int((probabilities.argmax(axis=1) == truth)[is_labelled].sum())
    low, high = compute_wilson_interval(right, labelled)
    return figures | {"accuracy": right / labelled, "accuracy_low": low, "accuracy_high": high}


def estimate_class_proportions(reference, probabilities, classes, alpha):
    """Estimate each class proportion of a window (BBSE).

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    probabilities : ndarray of shape (n, n_classes)
    classes : sequence of str
    alpha : float
        The intervals cover all classes together with probability 1 - alpha.

    Returns
    -------
    dict of class to dict
        ``estimate``, ``low``, ``high``, and ``reference``, the proportion in the reference set.
    """
    (change,), (noise,) = label_shift.estimate_changes(reference, probabilities[None])
    before = label_shift.encode_one_hot(reference.truth, len(classes)).mean(axis=0)
    margin = label_shift.compute_critical_value(len(classes), alpha) * noise
    columns = {
        "estimate": before + change,
        "low": before + change - margin,
        "high": before + change + margin,
        "reference": before,
    }
    rows = zip(*(np.clip(column, 0, 1).tolist() for column in columns.values()), strict=True)
    return {c: dict(zip(columns, row, strict=True)) for c, row in zip(classes, rows, strict=True)}


def find_image_differences(reference, image, alpha):
    """Find the image statistics whose distribution differs from that of the reference set.

    A column with NaN is not compared: earlier versions did not store every statistic.

    Parameters
    ----------
    reference, image : ndarray of shape (m, d), (n, d)
        Columns in the order of ``STATISTIC_NAMES``.
    alpha : float
        Level of the tests of all columns together (Holm).

    Returns
    -------
    list of str
    """
    complete = np.isfinite(reference).all(axis=0) & np.isfinite(image).all(axis=0)
    p_values, _ = run_kolmogorov_smirnov(reference[:, complete], image[None][:, :, complete])
    return np.array(STATISTIC_NAMES)[complete][(adjust_holm(p_values) <= alpha)[0]].tolist()
