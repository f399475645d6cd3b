"""Metrics against hand-made examples and known laws."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from flowers.evaluation.comparison import describe_accuracy
from flowers.evaluation.metrics import (
    compute_bootstrap_interval,
    compute_calibration_error,
    compute_metrics,
    compute_precision_recall,
    compute_reliability,
    find_confidence_threshold,
    run_mcnemar_test,
)
from flowers.evaluation.predictions import Predictions


def make_correct(first_only, second_only, both, neither):
    """Correctness of two classifiers with these counts."""
    counts = (first_only, second_only, both, neither)
    first = np.repeat([True, False, True, False], counts)
    return first, np.repeat([False, True, True, False], counts)


def test_without_groups_the_interval_is_the_normal_one():
    correct = np.arange(400) < 280
    low, high = compute_bootstrap_interval(correct, np.arange(400), 4000, 0)
    half = norm.ppf(0.975) * np.sqrt(0.7 * 0.3 / 400)
    assert low == pytest.approx(0.7 - half, abs=0.006)
    assert high == pytest.approx(0.7 + half, abs=0.006)


def test_groups_widen_the_interval():
    # Groups of 16 with equal values count as one image each: 4 times the width.
    groups = np.arange(800) // 16
    correct = groups % 10 < 7
    single = np.subtract(*compute_bootstrap_interval(correct, np.arange(800), 2000, 0))
    grouped = np.subtract(*compute_bootstrap_interval(correct, groups, 2000, 0))
    assert grouped / single == pytest.approx(4, rel=0.15)


def test_the_interval_depends_on_seed_and_level_and_not_on_the_names_of_groups():
    correct = np.arange(100) < 60
    groups = np.arange(100)
    wide = compute_bootstrap_interval(correct, groups, 500, 0)
    narrow = compute_bootstrap_interval(correct, groups, 500, 0, 0.5)
    assert wide == compute_bootstrap_interval(correct, groups + 7, 500, 0)
    assert wide != compute_bootstrap_interval(correct, groups, 500, 1)
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]


def test_mcnemar_is_the_exact_binomial_test():
    # 1 against 5: 2 (1 + 6) / 2^6.
    assert run_mcnemar_test(*make_correct(1, 5, 10, 3)) == {
        "only_first_correct": 1,
        "only_second_correct": 5,
        "p_value": pytest.approx(14 / 64),
    }
    assert run_mcnemar_test(*make_correct(0, 0, 8, 2))["p_value"] == 1
    for first, second in ((30, 12), (12, 30), (7, 7), (200, 150)):
        result = run_mcnemar_test(*make_correct(first, second, 40, 5))
        assert result["p_value"] == pytest.approx(binomtest(first, first + second).pvalue)


def test_reliability_by_hand():
    confidence = np.array([0.99, 0.31, 0.35, 1.0])
    correct = np.array([True, True, False, False])
    rows = compute_reliability(confidence, correct, np.array([7, 1, 2, 7]), 2)
    assert [row["confidence"] for row in rows] == pytest.approx([0.33, 0.995])
    assert [(row["accuracy"], row["photos"], row["groups"]) for row in rows] == [
        (0.5, 2, 2),
        (0.5, 2, 1),  # near-duplicates count as one image
    ]
    for row in rows:
        interval = binomtest(row["groups"] // 2, row["groups"]).proportion_ci(method="wilson")
        assert row["groups"] == 1 or (row["low"], row["high"]) == pytest.approx(interval)
    assert rows[1]["high"] - rows[1]["low"] > rows[0]["high"] - rows[0]["low"]
    assert compute_calibration_error(rows) == pytest.approx((0.17 + 0.495) / 2)


@pytest.mark.parametrize(
    ("confidence", "bins", "sizes"),
    [
        (np.arange(100) / 100, 10, [10] * 10),
        (np.repeat([0.2, 0.9], [90, 10]), 10, [90, 10]),
        (np.ones(5), 10, [5]),
        (np.array([0.5]), 10, [1]),
        (np.arange(7) / 7, 3, [2, 2, 3]),
    ],
)
def test_bins_have_equal_counts_and_images_of_equal_confidence_share_one(confidence, bins, sizes):
    n = len(confidence)
    for order in (slice(None), slice(None, None, -1)):
        data = (confidence[order], np.arange(n)[order] % 2 == 0, np.arange(n)[order])
        rows = compute_reliability(*data, bins)
        assert [row["photos"] for row in rows] == sizes
        assert all(0 <= row["low"] <= row["accuracy"] + 1e-9 for row in rows)
        assert all(row["accuracy"] - 1e-9 <= row["high"] <= 1 for row in rows)


def test_the_calibration_error_is_0_when_calibrated_and_the_gap_when_overconfident():
    confidence = np.repeat([0.25, 0.5, 0.75], 100)
    correct = np.concatenate([np.arange(100) < 100 * c for c in (0.25, 0.5, 0.75)])
    calibrated = compute_reliability(confidence, correct, np.arange(300), 10)
    overconfident = compute_reliability(np.ones(300), correct, np.arange(300), 10)
    assert compute_calibration_error(calibrated) == pytest.approx(0, abs=1e-12)
    assert compute_calibration_error(overconfident) == pytest.approx(0.5)


def test_precision_is_the_best_of_all_thresholds_with_at_least_that_recall():
    rng = np.random.default_rng(0)
    classes = np.array(["a", "b", "c"])
    labels = rng.choice(classes, 150)
    rows = compute_precision_recall(labels, rng.dirichlet(np.ones(3), 150), classes)
    assert len(rows) == 3 * 101
    for name in classes:
        curve = [(r["recall"], r["precision"]) for r in rows if r["class"] == name]
        assert [r for r, _ in curve] == [i / 100 for i in range(101)]
        assert (np.diff([p for _, p in curve]) <= 0).all()
        assert curve[-1][1] >= np.mean(labels == name)
    scores = rng.random(150)
    rows = compute_precision_recall(labels, scores[:, None], ["a"])
    hits = np.cumsum(labels[np.argsort(-scores)] == "a")
    precision = hits / np.arange(1, 151)
    for row in rows[1:]:
        needed = np.ceil(row["recall"] * hits[-1] - 1e-9)
        assert row["precision"] == pytest.approx(precision[hits >= needed].max())


LABELS = np.array(["a", "a", "b", "c"])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]])
CLASSES = np.array(["a", "b", "c"])


def compute_example(labels, classes, probabilities, decision):
    predictions = Predictions(labels, np.arange(len(labels)), classes, probabilities, decision)
    return compute_metrics(predictions, 200, 0, 10)


def test_metrics_by_hand():
    decision = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]])
    metrics = compute_example(LABELS, CLASSES, PROBABILITIES, decision)
    assert metrics["accuracy"] == metrics["uncalibrated_accuracy"] == 0.75
    assert metrics["accuracy_low"] <= 0.75 <= metrics["accuracy_high"]
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert metrics["log_loss"] == pytest.approx(-np.log([0.8, 0.2, 0.6, 0.7]).mean())
    squares = [0.04 + 0.02, 0.64 + 0.25 + 0.09, 0.04 + 0.16 + 0.04, 0.01 + 0.04 + 0.09]
    assert metrics["brier"] == pytest.approx(np.mean(squares))
    assert metrics["calibration_error"] == pytest.approx((0.2 + 0.5 + 0.4 + 0.3) / 4)
    f1 = pytest.approx(2 / 3)
    assert metrics["per_class"]["a"] == {"precision": 1.0, "recall": 0.5, "f1": f1, "photos": 2}
    assert metrics["per_class"]["b"]["precision"] == 0.5


def make_leaky_predictions(leaked):
    """Six images of two classes, the last two wrong."""
    labels = np.array(["a", "b", "a", "b", "a", "b"])
    probabilities = np.tile([0.9, 0.1], (6, 1))
    probabilities[[1, 3, 4]] = [0.2, 0.8]
    classes = np.array(["a", "b"])
    return Predictions(
        labels, np.arange(6), classes, probabilities, probabilities[:, 1] - 0.5, np.array(leaked)
    )


def test_the_accuracy_without_leaked_images_is_that_of_the_others():
    predictions = make_leaky_predictions([1, 1, 1, 0, 0, 0] == np.ones(6))
    figures = compute_metrics(predictions, 200, 0, 4)
    kept = figures["without_leaked"]
    assert kept["photos"] == 3 and kept["accuracy"] == pytest.approx(1 / 3)
    assert kept["accuracy_low"] < 1 / 3 < kept["accuracy_high"] and figures["accuracy"] == 4 / 6
    line = describe_accuracy({"svm": figures, "baseline_accuracy": 0.5})
    assert line.endswith("; without the test photos that leak: SVM 0.333")


def test_without_leaks_there_is_no_second_accuracy_and_with_leaks_alone_none_remains():
    assert "without_leaked" not in compute_metrics(make_leaky_predictions([False] * 6), 200, 0, 4)
    figures = compute_metrics(make_leaky_predictions([True] * 6), 200, 0, 4)
    assert figures["without_leaked"] == {"photos": 0}
    assert "none remains" in describe_accuracy({"svm": figures, "baseline_accuracy": 0.5})


def test_two_classes_have_metrics_too():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    decision = np.array([-2.0, 0.1, 1.0, -0.5])
    labels = np.array(["a", "a", "b", "b"])
    metrics = compute_example(labels, CLASSES[:2], probabilities, decision)
    assert metrics["accuracy"] == 0.75 and metrics["uncalibrated_accuracy"] == 0.5


def test_a_class_that_is_never_predicted_has_zeros_without_a_warning():
    probabilities = np.tile([0.5, 0.3, 0.2], (4, 1))
    metrics = compute_example(LABELS, CLASSES, probabilities, probabilities)
    assert metrics["per_class"]["c"] == {"precision": 0, "recall": 0, "f1": 0, "photos": 1}


def test_the_threshold_is_where_predictions_are_wrong_as_often_as_correct():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, 4000)
    correct = rng.random(4000) < np.clip(confidence - 0.1, 0, 1)
    assert find_confidence_threshold(confidence, correct) == pytest.approx(0.6, abs=0.05)


def test_the_threshold_is_0_if_all_predictions_are_correct_and_1_if_none_is():
    confidence = np.linspace(0.3, 0.9, 50)
    assert find_confidence_threshold(confidence, np.ones(50, bool)) == 0
    assert find_confidence_threshold(confidence, np.zeros(50, bool)) == 1
