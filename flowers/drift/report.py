"""The drift report: state, performance check, alert and figures of a stream of predictions."""

from dataclasses import dataclass, replace

import numpy as np

from flowers.base.intervals import compute_wilson_interval
from flowers.drift.detector import (
    LABELS,
    Alert,
    Detection,
    Stream,
    detect,
    keep_one_per_group,
)
from flowers.drift.expected_accuracy import estimate_accuracy
from flowers.drift.explanation import compare_images, explain_alert
from flowers.drift.label_shift import compute_critical_value, estimate_changes
from flowers.drift.performance import (
    DROP,
    IMPROVEMENT,
    check_performance,
    compute_labels_needed,
)
from flowers.images.statistics import STATISTIC_NAMES
from flowers.log.record import UNKNOWN

MIN_PREDICTIONS = 100  # predictions for a comparison, and for the state "ok"
# Newest labels that the performance check reads where no number of labels would be enough.
LABELS_READ = 200
PERIODS = 20  # of the figures over time, as long as each has MIN_PREDICTIONS; at most MAX_PERIODS
MAX_PERIODS = 200
PERIOD_COLUMNS = (
    *("start", "end", "predictions", "confidence"),
    *("expected_accuracy", "expected_accuracy_low", "expected_accuracy_high"),
    *("labelled", "accuracy", "accuracy_low", "accuracy_high"),
    *STATISTIC_NAMES,
)


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
    performance : dict
        From ``flowers.drift.performance.check_performance``.
    """

    reference: object
    rows: np.ndarray
    detection: Detection
    alert: Alert | None
    performance: dict


def monitor_rows(reference, rows, params):
    """Run drift detection and the performance check.

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
    if not np.isfinite(rows["typicality"]).all():  # some are of earlier versions
        reference = replace(reference, typicality=None)
    detection = detect(reference, Stream.from_rows(rows), params)
    alert = detection.alert
    performance, labelled = _check_labels(reference, rows, alert, params)
    if alert is None and performance["status"] == DROP:
        alert = Alert(LABELS, int(labelled[0]), int(labelled[-1]))
    return MonitoredStream(reference, rows, detection, alert, performance)


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


def build_drift_report(stream, alert_state, params):
    """Build the report, most important members first.

    Parameters
    ----------
    stream : MonitoredStream
    alert_state : dict
        ``alert``: the stored alert, until it is acknowledged; ``acknowledged``: time of the last
        acknowledgement. Each may be None.
    params : dict

    Returns
    -------
    dict
    """
    rows = stream.rows
    stored = alert_state["alert"]
    alert = stored or (stream.alert and explain_alert(stream, params))
    newest = rows[-params["window"] :]
    changed = find_changed_proportions(stream.reference, newest["probabilities"], params["alpha"])
    report = {
        "state": choose_state(len(rows), alert, stream.performance["status"], changed),
        "performance": stream.performance,
        "expected_accuracy": None,
        "alert": alert and alert | {"stored": stored is not None},
        "reference": {
            "distinct": len(stream.reference.truth),
            "confidence": stream.reference.probabilities.max(axis=1).mean(),
            "accuracy": stream.performance["reference_accuracy"],
        },
    }
    if not len(rows):
        if alert_state["acknowledged"] and not alert:  # there were predictions before
            report["state"] = "warming up"
        return report
    if len(rows) >= MIN_PREDICTIONS:
        report["expected_accuracy"] = estimate_accuracy(stream.reference, newest["probabilities"])
    report["newest_window"] = describe_newest(stream.reference, newest, params["alpha"])
    report["newest_window"]["classes_changed"] = changed
    report["all_predictions"] = compute_accuracy(rows["probabilities"], rows["truth"])
    return report


def summarise_report(report, count):
    """Summarise the report of `count` predictions in a line."""
    alert = report["alert"]
    detected = f"; {alert['kind']}, {alert['detected_at']}" if alert else ""
    expected = report["expected_accuracy"]
    performance = report["performance"]
    accuracy = performance["status"]
    if performance["labelled"]:
        accuracy += f", {performance['accuracy']:.3f} of {performance['labelled']} labelled"
    elif expected:  # without labels
        accuracy += f", expected accuracy {expected['estimate']:.3f}"
    return f"{report['state']}{detected}; accuracy: {accuracy}; {count} predictions"


def choose_state(count, alert, status, changed):
    """Choose the state; a change that improved accuracy is only a notice.

    Parameters
    ----------
    count, alert, status : int, dict or None, str
        Number of predictions, described alert, and status of the performance check.
    changed : list of str
        From `find_changed_proportions`.
    """
    if alert:
        return "notice" if status == IMPROVEMENT else "alert"
    if count < MIN_PREDICTIONS:
        return "warming up" if count else "no predictions"
    return "notice" if changed else "ok"


def find_changed_proportions(reference, probabilities, alpha):
    """Names of the classes whose proportion changed significantly; none for few predictions."""
    if len(probabilities) < MIN_PREDICTIONS:
        return []
    change, noise = estimate_changes(reference, probabilities)
    critical = compute_critical_value(len(change), alpha)
    changed = np.flatnonzero(np.abs(change) > critical * noise)
    return [reference.classes[c] for c in changed]


def describe_newest(reference, rows, alpha):
    """Describe the newest predictions.

    Returns
    -------
    dict
        ``shares`` of the predicted classes, mean ``confidence``, accuracy by labels, and from
        ``MIN_PREDICTIONS`` predictions on the ``image_statistics`` that differ.
    """
    probabilities = rows["probabilities"]
    shares = count_predicted(probabilities) / len(rows)
    figures = {
        "from": str(rows["time"][0]),
        "to": str(rows["time"][-1]),
        "predictions": len(rows),
        "shares": dict(zip(reference.classes, shares.tolist(), strict=True)),
        "confidence": float(probabilities.max(axis=1).mean()),
    } | compute_accuracy(probabilities, rows["truth"])
    if len(rows) >= MIN_PREDICTIONS:
        figures["image_statistics"] = compare_images(reference.image, rows["image"], alpha)
    return figures


def describe_periods(reference, rows, window):
    """Describe each period of a stream, oldest first: what the charts show over time.

    Periods have `window` predictions; fewer if the stream has fewer than ``PERIODS`` windows.

    Returns
    -------
    list of dict
        With ``PERIOD_COLUMNS``; the image statistics are means. Accuracies are None where they are
        unknown.
    """
    size = max(MIN_PREDICTIONS, min(window, len(rows) // PERIODS))
    # The newest period is full, so that it shows the present.
    stops = list(range(len(rows), 0, -size))[:MAX_PERIODS][::-1]
    return [_describe_period(reference, rows[max(0, stop - size) : stop]) for stop in stops]


def _describe_period(reference, rows):
    probabilities = rows["probabilities"]
    expected = estimate_accuracy(reference, probabilities)
    labelled = compute_accuracy(probabilities, rows["truth"])
    figures = {
        "start": rows["time"][0],
        "end": rows["time"][-1],
        "predictions": len(rows),
        "confidence": float(probabilities.max(axis=1).mean()),
        "expected_accuracy": expected["estimate"],
        "expected_accuracy_low": expected["low"],
        "expected_accuracy_high": expected["high"],
    }
    figures |= {key: value for key, value in labelled.items() if key != "coverage"}
    means = rows["image"].mean(axis=0, dtype=float).tolist()
    return figures | dict(zip(STATISTIC_NAMES, means, strict=True))


def count_predicted(probabilities):
    """Count how often each class is predicted; shape (n, n_classes) to (n_classes,)."""
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])


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
    low, high = compute_wilson_interval(right / labelled, labelled)
    return figures | {"accuracy": right / labelled, "accuracy_low": low, "accuracy_high": high}
