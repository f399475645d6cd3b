import numpy as np
import pytest

from flowers.drift.report import (
    PERIOD_COLUMNS,
    compute_accuracy,
    count_predicted,
    describe_newest,
    describe_periods,
    find_changed_proportions,
)
from flowers.log.record import UNKNOWN
from tests.flowers.drift.synthetic import draw_predictions, draw_reference, make_rows


def test_accuracy_is_that_of_labelled_predictions():
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    figures = compute_accuracy(probabilities, np.array([0, 2, UNKNOWN, UNKNOWN]))
    assert (figures["labelled"], figures["coverage"], figures["accuracy"]) == (2, 0.5, 0.5)
    assert 0 < figures["accuracy_low"] < 0.5 < figures["accuracy_high"] < 1
    unlabelled = compute_accuracy(probabilities, np.full(4, UNKNOWN))
    assert (unlabelled["labelled"], unlabelled["accuracy"]) == (0, None)


@pytest.fixture(scope="module")
def reference():
    return draw_reference(np.random.default_rng(0), 300)


@pytest.fixture(scope="module")
def rows(reference):
    rng = np.random.default_rng(1)
    return make_rows(draw_predictions(rng.integers(0, 3, 700), rng))


def test_the_newest_predictions_are_described_by_shares_and_confidence(reference, rows):
    figures = describe_newest(reference, rows, 0.01)
    shares = list(figures["shares"].values())
    assert shares == (count_predicted(rows["probabilities"]) / 700).tolist()
    assert figures["confidence"] == pytest.approx(rows["probabilities"].max(axis=1).mean())
    assert "image_statistics" not in describe_newest(reference, rows[:99], 0.01)


def test_a_class_whose_proportion_changed_is_named(reference):
    rng = np.random.default_rng(2)
    late = draw_predictions(rng.choice(3, 500, p=[0.6, 0.2, 0.2]), rng)
    assert "class 0" in find_changed_proportions(reference, late, 0.01)
    assert find_changed_proportions(reference, late[:99], 0.01) == []


def test_periods_are_as_long_as_a_window_and_the_newest_is_full(reference, rows):
    periods = describe_periods(reference, rows, 50)
    assert [p["predictions"] for p in periods] == [100] * 7
    assert periods[-1]["end"] == rows["time"][-1] and set(periods[0]) == set(PERIOD_COLUMNS)
    many = make_rows(np.tile(rows["probabilities"], (20, 1)))
    assert [p["predictions"] for p in describe_periods(reference, many, 500)][1:] == [500] * 27
    assert [p["predictions"] for p in describe_periods(reference, rows[:30], 50)] == [30]
    assert describe_periods(reference, rows[:0], 50) == []
