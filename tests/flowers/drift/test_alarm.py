import numpy as np
import pytest
from scipy import stats

from flowers.drift.alarm import (
    chi_square,
    compare,
    counts,
    differs,
    first_of_groups,
    holm,
    kolmogorov_smirnov,
    state,
    windows_of,
)
from flowers.drift.report import accuracy, describe, l1_noise, wilson
from flowers.drift.simulation import Case, alarm_rates, draw_photos
from flowers.log.record import UNKNOWN

CLASSES = ("Iris", "Rose", "Tulip")


def shares(size, seed=0, concentration=(1, 1, 1)):
    return np.random.default_rng(seed).dirichlet(concentration, size)


def test_kolmogorov_smirnov_agrees_with_scipy_ties_included():
    reference, windows = shares(151).round(2), shares((4, 200), 1, (2, 1, 1)).round(2)
    p_values, effects = kolmogorov_smirnov(reference, windows)
    for (k, j), p in np.ndenumerate(p_values):
        expected = stats.ks_2samp(reference[:, j], windows[k, :, j], method="exact")
        assert effects[k, j] == pytest.approx(expected.statistic, abs=1e-12)
        assert p == pytest.approx(expected.pvalue, rel=0.15, abs=1e-12)


@pytest.mark.parametrize(("m", "n"), [(20, 100), (151, 200), (151, 500), (900, 200)])
def test_where_it_decides_the_p_value_is_that_of_the_exact_test(m, n):
    reference = np.linspace(0, 1, m, endpoint=False)
    for shift in np.arange(0.1, 0.6, 0.02):
        window = np.linspace(0, 1, n, endpoint=False) + shift
        exact = stats.ks_2samp(reference, window, method="exact").pvalue
        if 1e-4 < exact < 0.05:
            p_values, _ = kolmogorov_smirnov(reference[:, None], window[None, :, None])
            assert p_values[0, 0] == pytest.approx(exact, rel=0.3)


def test_chi_square_agrees_with_scipy_and_passes_over_a_class_nobody_has():
    reference, windows = np.array([30, 0, 61]), np.array([[70, 0, 130], [10, 0, 190]])
    p_values, effects = chi_square(reference, windows)
    for window, p in zip(windows, p_values, strict=True):
        table = np.array([reference, window])[:, [0, 2]]
        assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert effects[1] == pytest.approx(190 / 200 - 61 / 91)


def test_one_class_everywhere_is_no_difference():
    p_values, effects = chi_square(np.array([5, 0]), np.array([[9, 0]]))
    assert (p_values[0], effects[0]) == (1, 0)


def test_holm_adjusts_step_by_step_and_keeps_the_order():
    adjusted = holm(np.array([[0.01, 0.04, 0.03], [0.5, 0.6, 0.9]]))
    assert adjusted == pytest.approx(np.array([[0.03, 0.06, 0.06], [1, 1, 1]]))


def test_without_a_shift_few_windows_differ():
    found = [
        differs(*compare(shares(151, 2 * i), shares((2, 200), 2 * i + 1)), 0.01, 0.1)
        for i in range(400)
    ]
    assert np.mean(found) < 0.025


def test_a_shift_differs_and_a_tiny_one_does_not_however_sure_it_is():
    reference, windows = shares(100_000), shares((1, 100_000), 1, (1.05, 1, 1))
    p_values, effects = compare(reference, windows)
    assert p_values.min() < 1e-4 and effects.max() < 0.1
    assert not differs(p_values, effects, 0.01, 0.1).any()
    assert differs(*compare(reference[:151], shares((1, 200), 1, (5, 1, 1))), 0.01, 0.1).all()


def test_significance_of_one_test_and_size_of_another_make_no_difference():
    assert not differs(np.array([[1e-9, 0.5]]), np.array([[0.05, 0.4]]), 0.01, 0.1).any()


@pytest.mark.parametrize(
    ("count", "spans"),
    [
        (0, []),
        (99, []),
        (100, [(0, 100)]),
        (299, [(99, 299)]),
        (300, [(0, 100), (100, 300)]),
        (400, [(0, 200), (200, 400)]),
    ],
)
def test_windows_end_with_the_log_and_none_is_too_small(count, spans):
    assert windows_of(count, 200, 100) == spans


@pytest.mark.parametrize(
    ("count", "differing", "word"),
    [
        (0, [], "no predictions"),
        (250, [True], "warming up"),
        (400, [True, False], "ok"),
        (600, [True, True, False], "ok"),
        (600, [True, False, True], "ok"),
        (600, [False, True, True], "alarm"),
    ],
)
def test_an_alarm_takes_two_windows_in_a_row(count, differing, word):
    assert state(count, np.array(differing, bool)) == word


def test_one_photo_stands_for_its_twins():
    assert first_of_groups(np.array([7, 3, 7, 3, 9])).tolist() == [0, 1, 4]


def test_twins_are_not_counted_as_pictures_of_their_own():
    groups = np.array([0] * 90 + list(range(1, 11)))
    drawn = draw_photos(groups, np.ones(100), (11_000,), np.random.default_rng(0))
    assert 800 < (groups[drawn] == 0).sum() < 1200
    assert len(np.unique(drawn)) == 100


def test_a_class_of_no_weight_is_never_drawn():
    weights = np.array([0.0, 0.0, 1.0, 3.0])
    drawn = draw_photos(np.array([0, 0, 1, 2]), weights, (4000,), np.random.default_rng(0))
    assert set(drawn) == {2, 3}
    assert 2850 < (drawn == 3).sum() < 3150


def test_the_simulation_tells_a_shift_from_none_and_repeats_itself():
    before, groups, after = shares(150), np.arange(150), shares(150, 1, (6, 1, 1))
    knobs = {"n": 100, "repeats": 100, "alpha": 0.01, "min_effect": 0.1, "seed": 0}
    none = alarm_rates(Case(before, before, groups, np.ones(150)), **knobs)
    moved = alarm_rates(Case(before, after, groups, np.ones(150)), **knobs)
    assert none["alarm"] <= none["one_window"] < 0.05
    assert moved["alarm"] > 0.95
    assert none == alarm_rates(Case(before, before, groups, np.ones(150)), **knobs)


def test_with_no_shift_the_l1_difference_stays_below_its_noise():
    rng, expected = np.random.default_rng(1), np.array([0.2, 0.3, 0.5])
    first, second = rng.multinomial(150, expected, 2000), rng.multinomial(200, expected, 2000)
    l1 = np.abs(first / 150 - second / 200).sum(axis=1)
    assert np.mean(l1 <= l1_noise(expected, 150, 200, 0)) == pytest.approx(0.95, abs=0.02)
    assert l1_noise(expected, 150, 2000, 0) < l1_noise(expected, 150, 50, 0)


def test_accuracy_is_of_the_labelled_alone():
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    found = accuracy(probabilities, np.array([0, 2, UNKNOWN, UNKNOWN]))
    assert (found["labelled"], found["coverage"], found["accuracy"]) == (2, 0.5, 0.5)
    assert 0 < found["accuracy_low"] < 0.5 < found["accuracy_high"] < 1
    nothing = accuracy(probabilities, np.full(4, UNKNOWN))
    assert (nothing["labelled"], nothing["accuracy"]) == (0, None)


def test_the_description_follows_from_the_answers():
    reference, recent = shares(151), shares(200, 1, (9, 1, 1))
    told = describe(reference, recent, np.full(200, UNKNOWN), CLASSES, 0)
    assert told["shares"] == dict(zip(CLASSES, counts(recent) / 200, strict=True))
    assert told["l1"] > told["l1_noise"]
    drop = reference.max(axis=1).mean() - recent.max(axis=1).mean()
    assert told["confidence_drop"] == pytest.approx(drop)
    interval = stats.ttest_ind(
        reference.max(axis=1), recent.max(axis=1), equal_var=False
    ).confidence_interval()
    assert told["confidence_drop_low"] == pytest.approx(interval.low, abs=2e-3)
    assert told["confidence_drop_high"] == pytest.approx(interval.high, abs=2e-3)


@pytest.mark.parametrize(("right", "n"), [(0, 5), (7, 9), (190, 200), (4, 4)])
def test_the_interval_of_a_share_is_that_of_wilson(right, n):
    expected = stats.binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)
