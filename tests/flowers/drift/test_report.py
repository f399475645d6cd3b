import numpy as np
import pytest
from scipy import stats

from flowers.drift.report import (
    compute_accuracy,
    compute_l1_noise,
    compute_wilson_interval,
    describe_window,
)
from flowers.drift.windows import count_predicted
from flowers.log.record import UNKNOWN
from tests.flowers.drift.synthetic import draw_shares

CLASSES = ("Iris", "Rose", "Tulip")


def test_without_a_shift_the_l1_distance_is_below_its_noise_in_95_percent():
    rng = np.random.default_rng(1)
    expected = np.array([0.2, 0.3, 0.5])
    first = rng.multinomial(150, expected, 2000)
    second = rng.multinomial(200, expected, 2000)
    l1 = np.abs(first / 150 - second / 200).sum(axis=1)
    assert np.mean(l1 <= compute_l1_noise(expected, 150, 200, 0)) == pytest.approx(0.95, abs=0.02)
    assert compute_l1_noise(expected, 150, 2000, 0) < compute_l1_noise(expected, 150, 50, 0)


def test_accuracy_is_that_of_labelled_predictions():
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    figures = compute_accuracy(probabilities, np.array([0, 2, UNKNOWN, UNKNOWN]))
    assert (figures["labelled"], figures["coverage"], figures["accuracy"]) == (2, 0.5, 0.5)
    assert 0 < figures["accuracy_low"] < 0.5 < figures["accuracy_high"] < 1
    unlabelled = compute_accuracy(probabilities, np.full(4, UNKNOWN))
    assert (unlabelled["labelled"], unlabelled["accuracy"]) == (0, None)


def test_a_window_is_described_by_shares_and_confidence():
    reference = draw_shares(151)
    recent = draw_shares(200, 1, (9, 1, 1))
    figures = describe_window(reference, recent, np.full(200, UNKNOWN), CLASSES, 0)
    assert figures["shares"] == dict(zip(CLASSES, count_predicted(recent) / 200, strict=True))
    assert figures["l1"] > figures["l1_noise"]
    before = reference.max(axis=1)
    now = recent.max(axis=1)
    assert figures["confidence_drop"] == pytest.approx(before.mean() - now.mean())
    interval = stats.ttest_ind(before, now, equal_var=False).confidence_interval()
    assert figures["confidence_drop_low"] == pytest.approx(interval.low, abs=2e-3)
    assert figures["confidence_drop_high"] == pytest.approx(interval.high, abs=2e-3)


@pytest.mark.parametrize(("right", "n"), [(0, 5), (7, 9), (190, 200), (4, 4)])
def test_the_interval_of_a_share_is_that_of_wilson(right, n):
    expected = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    interval = compute_wilson_interval(right, n)
    assert interval == pytest.approx((expected.low, expected.high), abs=1e-12)
