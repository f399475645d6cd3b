"""Demands on the figures: hand-made examples, known laws, and no chance in them."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

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


def answers(first_only, second_only, both, neither):
    """Right or wrong of two classifiers with these counts."""
    counts = (first_only, second_only, both, neither)
    a = np.repeat([True, False, True, False], counts)
    return a, np.repeat([False, True, True, False], counts)


def test_the_bootstrap_is_a_function_of_its_seed():
    correct, groups = np.random.default_rng(0).random(500) < 0.7, np.arange(500) // 3
    first, again, other = (compute_bootstrap_interval(correct, groups, 500, s) for s in (1, 1, 2))
    assert first == again != other


def test_the_interval_of_single_photos_is_the_normal_one():
    correct = np.arange(400) < 280
    low, high = compute_bootstrap_interval(correct, np.arange(400), 4000, 0)
    half = norm.ppf(0.975) * np.sqrt(0.7 * 0.3 / 400)
    assert low == pytest.approx(0.7 - half, abs=0.006)
    assert high == pytest.approx(0.7 + half, abs=0.006)


def test_large_groups_make_the_interval_wider():
    # Groups of 16 that are right or wrong as a whole count as one photo each: 4 times the width.
    groups = np.arange(800) // 16
    correct = groups % 10 < 7
    alone = np.subtract(*compute_bootstrap_interval(correct, np.arange(800), 2000, 0))
    whole = np.subtract(*compute_bootstrap_interval(correct, groups, 2000, 0))
    assert whole / alone == pytest.approx(4, rel=0.15)


def test_the_names_and_order_of_groups_do_not_matter():
    correct = np.array([True, False, True, True])
    by_number = compute_bootstrap_interval(correct, np.array([0, 0, 1, 2]), 300, 0)
    assert compute_bootstrap_interval(correct, np.array(["a", "a", "b", "c"]), 300, 0) == by_number


def test_a_lower_level_gives_a_narrower_interval():
    correct = np.arange(100) < 60
    wide, narrow = (
        compute_bootstrap_interval(correct, np.arange(100), 500, 0, x) for x in (0.95, 0.5)
    )
    assert wide[0] < narrow[0] < 0.6 < narrow[1] < wide[1]


def test_mcnemar_by_hand():
    # 1 against 5: 2 (1 + 6) / 2^6.
    found = run_mcnemar_test(*answers(1, 5, 10, 3))
    assert found == {
        "only_first_correct": 1,
        "only_second_correct": 5,
        "p_value": pytest.approx(14 / 64),
    }


@pytest.mark.parametrize(("first", "second"), [(30, 12), (7, 7), (0, 9), (200, 150)])
def test_mcnemar_is_the_exact_binomial_test(first, second):
    expected = binomtest(first, first + second, 0.5).pvalue
    assert run_mcnemar_test(*answers(first, second, 40, 5))["p_value"] == pytest.approx(expected)
    assert run_mcnemar_test(*answers(second, first, 0, 0))["p_value"] == pytest.approx(expected)


def test_mcnemar_of_equal_answers_is_1():
    assert run_mcnemar_test(*answers(0, 0, 8, 2))["p_value"] == 1


def test_reliability_by_hand():
    confidence = np.array([0.31, 0.35, 0.99, 1.0])
    rows = compute_reliability(confidence, np.array([True, False, True, False]), 10)
    assert rows == [
        {"confidence": pytest.approx(0.33), "accuracy": 0.5, "photos": 2},
        {"confidence": pytest.approx(0.995), "accuracy": 0.5, "photos": 2},
    ]
    assert compute_calibration_error(rows) == pytest.approx((0.17 + 0.495) / 2)


def test_perfect_calibration_has_no_error_and_overconfidence_has_its_own():
    confidence = np.repeat([0.25, 0.5, 0.75], 100)
    correct = np.concatenate([np.arange(100) < 100 * c for c in (0.25, 0.5, 0.75)])
    assert compute_calibration_error(compute_reliability(confidence, correct, 10)) == pytest.approx(
        0, abs=1e-12
    )
    assert compute_calibration_error(
        compute_reliability(np.ones(300), correct, 10)
    ) == pytest.approx(0.5)


def test_precision_never_rises_with_recall():
    generator = np.random.default_rng(0)
    classes, labels = np.array(["a", "b", "c"]), generator.choice(["a", "b", "c"], 150)
    rows = compute_precision_recall(labels, generator.dirichlet(np.ones(3), 150), classes)
    assert len(rows) == 3 * 101
    for name in classes:
        curve = [(r["recall"], r["precision"]) for r in rows if r["class"] == name]
        assert [r for r, _ in curve] == [i / 100 for i in range(101)]
        assert (np.diff([p for _, p in curve]) <= 0).all()
        assert curve[-1][1] >= np.mean(labels == name)


def test_precision_is_the_best_of_any_threshold_that_recalls_as_much():
    generator = np.random.default_rng(1)
    labels, share = np.repeat(["a", "b"], [100, 50]), generator.random(150)
    rows = compute_precision_recall(labels, np.column_stack([share, 1 - share]), ["a"])
    right = np.cumsum(labels[np.argsort(-share)] == "a")
    precision = right / np.arange(1, 151)
    for photos, row in list(enumerate(rows))[1:]:
        assert row["precision"] == pytest.approx(precision[right >= photos].max())


def test_perfect_answers_have_precision_1_at_every_recall():
    labels = np.array(["a", "b", "b"])
    rows = compute_precision_recall(
        labels, np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]), ["a", "b"], 5
    )
    assert [row["precision"] for row in rows] == [1.0] * 10


LABELS = np.array(["a", "a", "b", "c"])
SHARES = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7]])
CLASSES = np.array(["a", "b", "c"])


def test_scores_by_hand():
    decision = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]])
    found = compute_metrics(
        Predictions(LABELS, np.arange(4), CLASSES, SHARES, decision), 200, 0, 10
    )
    assert found["accuracy"] == found["uncalibrated_accuracy"] == 0.75
    assert found["accuracy_low"] <= 0.75 <= found["accuracy_high"]
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.2, 0.6, 0.7]).mean())
    squares = [0.04 + 0.02, 0.64 + 0.25 + 0.09, 0.04 + 0.16 + 0.04, 0.01 + 0.04 + 0.09]
    assert found["brier"] == pytest.approx(np.mean(squares))
    assert found["calibration_error"] == pytest.approx((0.2 + 0.5 + 0.4 + 0.3) / 4)
    assert found["per_class"]["a"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "photos": 2,
    }
    assert found["per_class"]["b"]["precision"] == 0.5


def test_two_classes_have_scores_too():
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    decision = np.array([-2.0, 0.1, 1.0, -0.5])
    labels = np.array(["a", "a", "b", "b"])
    found = compute_metrics(
        Predictions(labels, np.arange(4), CLASSES[:2], shares, decision), 200, 0, 10
    )
    assert found["accuracy"] == 0.75 and found["uncalibrated_accuracy"] == 0.5


def test_a_class_that_nobody_answers_counts_as_0_without_a_warning():
    shares = np.tile([0.5, 0.3, 0.2], (4, 1))
    found = compute_metrics(Predictions(LABELS, np.arange(4), CLASSES, shares, shares), 200, 0, 10)
    assert found["per_class"]["c"] == {"precision": 0, "recall": 0, "f1": 0, "photos": 1}


def test_unsure_is_where_answers_are_wrong_as_often_as_right():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, 4000)
    right = rng.random(4000) < np.clip(confidence - 0.1, 0, 1)
    assert find_confidence_threshold(confidence, right) == pytest.approx(0.6, abs=0.05)


def test_an_answer_is_never_or_always_unsure_where_one_side_prevails():
    confidence = np.linspace(0.3, 0.9, 50)
    assert find_confidence_threshold(confidence, np.ones(50, bool)) == 0
    assert find_confidence_threshold(confidence, np.zeros(50, bool)) == 1
