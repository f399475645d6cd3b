import numpy as np
import pytest

from flowers.drift.detector import (
    COVARIATE_SHIFT,
    LABEL_SHIFT,
    LABELS,
    PERFORMANCE,
    Alert,
    Stream,
    classify_change,
    detect,
    find_first_alert,
    get_changed_span,
    keep_one_per_group,
)
from flowers.drift.mean_tests import LENGTHS, LEVELS, RUN_RULES, MeanTests
from tests.flowers.drift.synthetic import draw_predictions, draw_reference, make_reference

PARAMS = {"window": 250, "alpha": 0.01, "proportion_tolerance": 0.05}


def make_tests(p_values=(), deviations=()):
    """Tests of 1,000 predictions in which only the given values, {(row, column): value}, are low.

    Deviations are -inf except for the given ones.
    """
    fields = {"p_values": np.ones((20, len(LENGTHS)))}
    fields["deviations"] = np.full((20, len(RUN_RULES)), -np.inf)
    for name, entries in (("p_values", p_values), ("deviations", deviations)):
        for place, value in dict(entries).items():
            fields[name][place] = value
    return MeanTests(ends=50 * np.arange(1, 21), windows=np.full(20, 250), **fields)


def test_a_score_test_alerts_at_its_level_about_the_predictions_it_tests():
    for factor, expected in (
        (1, Alert("scores", 600 - LENGTHS[1], 599)),
        (1.01, Alert("scores", 650 - LENGTHS[3], 649)),
        (10, None),
    ):
        tests = make_tests({(11, 1): factor * LEVELS[1], (12, 3): factor * LEVELS[3] / 9})
        assert find_first_alert(tests) == expected
    # The change started where the p-value is lowest relative to its level.
    tests = make_tests({(11, 0): LEVELS[0] / 2, (11, 4): LEVELS[4] / 3})
    assert find_first_alert(tests).change_start == 600 - LENGTHS[4]


@pytest.mark.parametrize(
    ("below", "expected"), [(0, Alert("class proportions", 800 - 3 * 250, 799)), (0.01, None)]
)
def test_a_run_rule_alerts_after_its_number_of_windows(below, expected):
    tests = make_tests(deviations={(15, 1): RUN_RULES[3] - below})
    assert find_first_alert(tests) == expected
    early = make_tests({(13, 0): 0}, {(15, 1): RUN_RULES[3]})
    assert find_first_alert(early).detector == "scores"


def test_the_changed_span_is_two_windows_or_up_to_the_alert():
    assert get_changed_span(Alert("class proportions", 5, 19), 10) == slice(5, 25)
    assert get_changed_span(Alert("scores", 5, 60), 10) == slice(5, 61)


@pytest.mark.parametrize(
    ("detector", "kind"),
    [
        ("scores", COVARIATE_SHIFT),
        ("class proportions", LABEL_SHIFT),
        (LABELS, PERFORMANCE),
    ],
)
def test_an_alert_is_classified_where_the_scores_do_not_differ(detector, kind):
    assert classify_change(Alert(detector, 300, 700), make_tests(), PARAMS) == kind


def test_changed_class_proportions_with_changed_scores_are_covariate_shift():
    alert = Alert("class proportions", 300, 700)
    # From 300 to 800 there are two windows; 400 is the longest test that fits.
    for p_value, kind in ((0.005, COVARIATE_SHIFT), (0.02, LABEL_SHIFT)):
        tests = make_tests({(15, LENGTHS.index(400)): p_value})
        assert classify_change(alert, tests, PARAMS) == kind


@pytest.mark.parametrize(
    ("strength", "proportions", "detectors"),
    [
        (2.0, [1 / 3] * 3, {None}),
        (0.8, [1 / 3] * 3, {"scores"}),
        (2.0, [0.8, 0.1, 0.1], {"class proportions"}),
    ],
)
def test_a_change_in_a_stream_is_detected_by_the_test_of_its_kind(strength, proportions, detectors):
    rng = np.random.default_rng(5)
    reference = draw_reference(rng, 300)
    truth = np.concatenate([rng.integers(0, 3, 700), rng.choice(3, 1300, p=proportions)])
    before = draw_predictions(truth[:700], rng)
    stream = np.concatenate([before, draw_predictions(truth[700:], rng, strength)])
    alert = detect(reference, Stream(stream, np.arange(2000) // 500), PARAMS).alert
    assert (alert and alert.detector) in detectors
    assert alert is None or alert.position > 700


@pytest.mark.parametrize(("share", "detected"), [(0.0, False), (0.2, True)])
def test_a_few_images_unlike_all_others_are_detected_by_their_typicality(share, detected):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 200)
    reference = make_reference(draw_predictions(truth, rng), truth, rng.uniform(0.5, 1, 200))
    typicality = rng.uniform(0.5, 1, 1500)
    unlike = (np.arange(1500) >= 500) & (rng.random(1500) < share)
    typicality[unlike] = rng.uniform(0.4, 0.6, unlike.sum())
    probabilities = draw_predictions(rng.integers(0, 3, 1500), rng)
    stream = Stream(probabilities, np.arange(1500) // 500, typicality)
    alert = detect(reference, stream, PARAMS).alert
    assert (alert is not None and 500 < alert.position < 900) == detected


def test_one_image_of_each_near_duplicate_group_is_kept():
    reference = draw_reference(np.random.default_rng(0), 5)
    grouped = type(reference)(**vars(reference) | {"group": np.array([7, 3, 7, 3, 9])})
    assert keep_one_per_group(grouped).row.tolist() == [0, 1, 4]
