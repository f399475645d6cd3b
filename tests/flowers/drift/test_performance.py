import numpy as np
import pytest
from scipy import stats

from flowers.base.intervals import Z, compute_wilson_interval
from flowers.drift.performance import (
    check_performance,
    compute_labels_needed,
)


def make_correct(right, wrong):
    return np.array([True] * right + [False] * wrong)


def test_the_p_value_is_that_of_fishers_exact_test():
    performance = check_performance(make_correct(3, 6), make_correct(40, 20), 0.15, 0.001)
    expected = stats.fisher_exact([[3, 6], [40, 20]], alternative="less").pvalue
    assert performance["p_value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("correct", "status"),
    [
        (make_correct(0, 0), "unknown"),
        (make_correct(14, 6), "unknown"),
        (make_correct(40, 60), "drop"),
        (make_correct(2800, 1200), "no drop"),
        (make_correct(190, 10), "improvement"),
    ],
)
def test_the_status_follows_from_the_labels(correct, status):
    performance = check_performance(correct, make_correct(420, 180), 0.15, 0.001)
    assert performance["status"] == status
    assert (performance["labels_needed"] > 0) == (status == "unknown")
    assert performance["labelled"] == len(correct)


def test_as_many_labels_as_are_needed_detect_the_drop_with_a_probability_of_80_percent():
    n = compute_labels_needed(0.7, 600, 0.15, 0.001)
    rng = np.random.default_rng(0)
    before = make_correct(420, 180)

    def simulate(accuracy):
        correct = rng.random((100, n)) < accuracy
        return [check_performance(row, before, 0.15, 0.001)["status"] for row in correct]

    assert simulate(0.55).count("drop") / 100 == pytest.approx(0.8, abs=0.1)
    statuses = simulate(0.7)
    assert statuses.count("drop") <= 2 and statuses.count("no drop") >= 97


def test_with_a_small_reference_set_no_number_of_labels_is_enough():
    assert compute_labels_needed(0.7, 20, 0.15, 0.001) is None
    performance = check_performance(make_correct(700, 300), make_correct(14, 6), 0.15, 0.001)
    assert performance["labels_needed"] is None


@pytest.mark.parametrize(("right", "n"), [(0, 5), (7, 9), (190, 200), (4, 4)])
def test_the_interval_of_a_share_is_that_of_wilson(right, n):
    expected = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    interval = compute_wilson_interval(right / n, n, Z)
    assert interval == pytest.approx((expected.low, expected.high), abs=1e-12)
