import numpy as np
import pytest
from scipy import stats

from flowers.drift.alarm import (
    chi_square,
    counts,
    first_of_groups,
    holm,
    kolmogorov_smirnov,
    windows_of,
)
from flowers.drift.report import accuracy, describe, l1_noise, wilson
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


@pytest.mark.parametrize(
    ("count", "spans"), [(0, []), (199, []), (200, [(0, 200)]), (599, [(0, 200), (200, 400)])]
)
def test_windows_stay_where_they_are_when_more_photos_come(count, spans):
    assert windows_of(count, 200) == spans


def test_weights_count_as_if_photos_were_there_so_often():
    reference, windows = shares(151).round(2), shares((3, 200), 1, (2, 1, 1)).round(2)
    often = np.random.default_rng(2).integers(0, 4, 151)
    weights = np.tile(often / often.sum(), (3, 1))
    weighted, repeated = (
        kolmogorov_smirnov(reference, windows, weights)[1],
        kolmogorov_smirnov(np.repeat(reference, often, axis=0), windows)[1],
    )
    assert weighted == pytest.approx(repeated, abs=1e-12)


def test_unequal_weights_are_worth_fewer_photos():
    reference, windows = np.linspace(0, 1, 100)[:, None], np.linspace(0.2, 1.2, 100)[None, :, None]
    few = np.zeros((1, 100))
    few[0, ::10] = 0.1
    p_few, _ = kolmogorov_smirnov(reference, windows, few)
    p_ten, _ = kolmogorov_smirnov(reference[::10], windows)
    assert p_few == pytest.approx(p_ten)


def test_one_photo_stands_for_its_twins():
    assert first_of_groups(np.array([7, 3, 7, 3, 9])).tolist() == [0, 1, 4]


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
