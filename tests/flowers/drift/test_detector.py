import numpy as np
import pytest

from flowers.drift.detector import (
    COVARIATE_SHIFT,
    LABEL_SHIFT,
    LABELS,
    PERFORMANCE_DROP,
    PROPORTION_LEVEL,
    SCORE_LEVELS,
    Alert,
    classify_change,
    compute_ties,
    find_first_alert,
    keep_one_per_group,
    select_changed_rows,
)
from flowers.drift.mean_tests import LENGTHS, RUN_RULES, MeanTests
from flowers.log.table import build_row_dtype
from tests.flowers.drift.synthetic import draw_predictions, draw_reference

PARAMS = {"wealth_limit": 100, "window": 10, "alpha": 0.01, "proportion_tolerance": 0.05}
FLAT = np.zeros(1000)
LEVELS = {"scores": SCORE_LEVELS, "proportions": PROPORTION_LEVEL * np.ones(len(LENGTHS))}


def make_tests(**values):
    """Tests of 1,000 predictions in which only the given p-values, {(row, column): p}, are below 1.

    Deviations are -inf except for the given ones.
    """
    fields = {name: np.ones((20, len(LENGTHS))) for name in LEVELS}
    fields["deviations"] = np.full((20, len(RUN_RULES)), -np.inf)
    for name, entries in values.items():
        for place, value in entries.items():
            fields[name][place] = value
    return MeanTests(ends=50 * np.arange(1, 21), window=250, **fields)


def test_the_martingale_alerts_at_its_limit_and_the_change_started_at_its_lowest_wealth():
    log_wealth = np.log(np.r_[0.5, 0.1, 0.2, 5, 101, 3, 500])
    assert find_first_alert(log_wealth, make_tests(), PARAMS) == Alert("martingale", 2, 4)
    assert find_first_alert(log_wealth, make_tests(), PARAMS | {"wealth_limit": 1000}) is None
    # The earliest alert counts.
    tests = make_tests(scores={(3, 0): 1e-9})
    late = np.r_[np.zeros(250), np.full(750, 9.0)]
    assert find_first_alert(late, tests, PARAMS).detector == "scores"
    assert find_first_alert(late[200:], tests, PARAMS).detector == "martingale"


@pytest.mark.parametrize(
    ("name", "detector"), [("scores", "scores"), ("proportions", "class proportions")]
)
def test_a_mean_test_alerts_at_its_level_about_the_predictions_it_tests(name, detector):
    level = LEVELS[name]
    for factor, expected in (
        (1, Alert(detector, 600 - LENGTHS[1], 599)),
        (1.01, Alert(detector, 650 - LENGTHS[3], 649)),
        (10, None),
    ):
        tests = make_tests(**{name: {(11, 1): factor * level[1], (12, 3): factor * level[3] / 9}})
        assert find_first_alert(FLAT, tests, PARAMS) == expected
    # The change started where the p-value is lowest relative to its level.
    tests = make_tests(**{name: {(11, 0): level[0] / 2, (11, 4): level[4] / 3}})
    assert find_first_alert(FLAT, tests, PARAMS).change_start == 600 - LENGTHS[4]


@pytest.mark.parametrize(
    ("below", "expected"), [(0, Alert("class proportions", 800 - 3 * 250, 799)), (0.01, None)]
)
def test_a_run_rule_alerts_after_its_number_of_windows(below, expected):
    tests = make_tests(deviations={(15, 1): RUN_RULES[3] - below})
    assert find_first_alert(FLAT, tests, PARAMS) == expected


def test_changed_rows_are_two_windows_or_up_to_the_alert():
    rows = np.arange(100)
    alert = Alert("class proportions", 5, 19)
    assert select_changed_rows(alert, rows, 10).tolist() == list(range(5, 25))
    assert select_changed_rows(Alert("martingale", 5, 60), rows, 10).tolist() == list(range(5, 61))


@pytest.fixture(scope="module")
def shifted():
    """A reference set, and a stream after label shift."""
    rng = np.random.default_rng(2)
    reference = draw_reference(rng, 500)
    truth = rng.choice(3, 1000, p=[0.6, 0.2, 0.2])
    return reference, draw_predictions(truth, rng)


@pytest.mark.parametrize(
    ("detector", "kind"),
    [
        ("martingale", COVARIATE_SHIFT),
        ("scores", COVARIATE_SHIFT),
        ("class proportions", LABEL_SHIFT),
        (LABELS, PERFORMANCE_DROP),
    ],
)
def test_an_alert_is_classified_where_only_class_proportions_changed(detector, kind, shifted):
    alert = Alert(detector, 300, 700)
    params = PARAMS | {"window": 250}
    assert classify_change(alert, make_tests(), *shifted, params) == kind


def test_changed_class_proportions_with_changed_predictions_are_covariate_shift(shifted):
    reference, stream = shifted
    alert = Alert("class proportions", 300, 700)
    params = PARAMS | {"window": 250}
    sharper = stream**3 / (stream**3).sum(axis=1, keepdims=True)
    assert classify_change(alert, make_tests(), reference, sharper, params) == COVARIATE_SHIFT
    # From 300 to 800 there are two windows; 400 is the longest test that fits.
    for p_value, kind in ((0.005, COVARIATE_SHIFT), (0.02, LABEL_SHIFT)):
        tests = make_tests(scores={(15, LENGTHS.index(400)): p_value})
        assert classify_change(alert, tests, reference, stream, params) == kind


def test_ties_depend_on_the_prediction_and_the_image_and_on_no_label_or_time():
    rows = np.zeros(3, build_row_dtype(2))
    rows["image"][1, 0] = 0.5
    rows["time"][2] = np.datetime64("2026-01-01")
    rows["truth"][2] = 1
    ties = compute_ties(rows)
    assert ties[0] == ties[2] != ties[1]
    many = np.zeros(4000, build_row_dtype(2))
    many["image"][:, 0] = np.arange(4000)
    assert np.histogram(compute_ties(many), 4, (0, 1))[0] == pytest.approx(1000, abs=100)


def test_one_image_of_each_near_duplicate_group_is_kept():
    reference = draw_reference(np.random.default_rng(0), 5)
    grouped = type(reference)(**vars(reference) | {"group": np.array([7, 3, 7, 3, 9])})
    assert keep_one_per_group(grouped).row.tolist() == [0, 1, 4]
