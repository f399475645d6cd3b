import numpy as np
import pytest

from flowers.drift.charts import plot_report
from flowers.drift.detector import COVARIATE_SHIFT, LABEL_SHIFT, PERFORMANCE
from flowers.drift.explanation import compare_images, explain_alert
from flowers.drift.report import build_drift_report, describe_periods, monitor_rows
from flowers.images.statistics import STATISTIC_NAMES
from tests.flowers.drift.synthetic import (
    draw_predictions,
    draw_reference,
    make_reference,
    make_rows,
)

PARAMS = {"window": 250, "alpha": 0.01, "proportion_tolerance": 0.05}
PARAMS |= {"label_alpha": 0.001, "max_accuracy_drop": 0.15}
START = 700


@pytest.fixture(scope="module")
def monitor():
    """Monitor a stream of 2,000 predictions that changes at START."""

    def run(strength=2.0, proportions=(1 / 3, 1 / 3, 1 / 3), labels=None):
        rng = np.random.default_rng(5)
        reference = draw_reference(rng, 300)
        classes = rng.integers(0, 3, START), rng.choice(3, 2000 - START, p=proportions)
        parts = [draw_predictions(c, rng, s) for c, s in zip(classes, (2.0, strength), strict=True)]
        probabilities = np.concatenate(parts)
        rows = make_rows(probabilities)
        if labels:
            rows["truth"] = (probabilities.argmax(axis=1) + 1) % 3
        return monitor_rows(reference, rows, PARAMS)

    return run


def test_covariate_shift_is_explained_by_scores_and_not_by_class_proportions(
    monitor,
):
    stream = monitor(strength=0.3)
    alert = explain_alert(stream, PARAMS)
    assert alert["kind"] == COVARIATE_SHIFT and "class_proportions" not in alert
    changes = [abs(score["change"]) for score in alert["scores"]]
    assert changes == sorted(changes, reverse=True) and changes[0] > 0.1
    assert all(score["meaning"] for score in alert["scores"])
    numbers = [int(row["request_id"][1:]) for row in alert["unusual"]]
    assert len(set(numbers)) == 20 and min(numbers) >= START - 150
    assert set(alert["unusual"][0]) == {"request_id", "index", "time", "label", "confidence"}


def test_images_unlike_the_training_images_are_named_unless_a_record_has_no_typicality():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 200)
    reference = make_reference(draw_predictions(truth, rng), truth, rng.uniform(0.5, 1, 200))
    typicality = np.where(np.arange(1500) < START, rng.uniform(0.5, 1, 1500), 0.4)
    rows = make_rows(draw_predictions(rng.integers(0, 3, 1500), rng), typicality=typicality)
    score = explain_alert(monitor_rows(reference, rows, PARAMS), PARAMS)["scores"][0]
    assert (score["score"], score["meaning"]) == ("typicality", "less like the training photos")
    assert score["change"] < -1
    rows["typicality"][3] = np.nan
    assert monitor_rows(reference, rows, PARAMS).alert is None


def test_label_shift_is_explained_by_class_proportions_and_not_by_scores(monitor):
    alert = explain_alert(monitor(proportions=(0.8, 0.1, 0.1)), PARAMS)
    assert alert["kind"] == LABEL_SHIFT and "scores" not in alert
    proportion = alert["class_proportions"]["class 0"]
    assert proportion["reference"] < proportion["low"] < proportion["estimate"]
    assert {row["label"] for row in alert["unusual"]} == {"class 0"}


def test_a_performance_drop_is_explained_by_confident_wrong_predictions(monitor):
    stream = monitor(labels=True)
    alert = explain_alert(stream, PARAMS)
    assert alert["kind"] == PERFORMANCE
    confidences = [row["confidence"] for row in alert["unusual"]]
    assert confidences == sorted(confidences, reverse=True)


def test_every_kind_of_alert_is_drawn_and_nothing_is_drawn_without_predictions(monitor):
    stream = monitor(strength=0.3)
    periods = describe_periods(stream.reference, stream.rows, 250)
    plots = plot_report(stream, periods, 250)
    assert set(plots) == {"tests", "images", "accuracy", "classes"}
    assert "change detected" in plots["tests"] and "Jan" in plots["accuracy"]
    empty = monitor_rows(stream.reference, stream.rows[:0], PARAMS)
    assert plot_report(empty, describe_periods(empty.reference, empty.rows, 250), 250) == {}


def test_a_stored_alert_stays_as_it_was(monitor):
    stored = {"kind": LABEL_SHIFT, "detected_at": "2025-01-01"}
    report = build_drift_report(monitor(), {"alert": stored, "acknowledged": None}, PARAMS)
    assert report["state"] == "alert" and report["alert"] == stored | {"stored": True}


def test_image_statistics_that_differ_are_named_with_their_means():
    rng = np.random.default_rng(0)
    reference, image = (rng.normal(size=(count, len(STATISTIC_NAMES))) for count in (150, 400))
    assert compare_images(reference, image, 0.01) == {}
    image[:, 2] += 1
    reference[0, 3] = np.nan
    figures = compare_images(reference, image, 0.01)
    assert list(figures) == [STATISTIC_NAMES[2]]
    assert figures[STATISTIC_NAMES[2]]["now"] == pytest.approx(image[:, 2].mean())
