import numpy as np
import pytest
from scipy import stats

from flowers.drift.windows import (
    Windows,
    adjust_holm,
    compare_adjusted,
    cut_windows,
    run_chi_square,
    run_kolmogorov_smirnov,
)
from tests.flowers.drift.synthetic import draw_predictions, draw_reference, draw_shares


def test_kolmogorov_smirnov_agrees_with_scipy_with_ties():
    reference = draw_shares(151).round(2)
    windows = draw_shares((4, 200), 1, (2, 1, 1)).round(2)
    p_values, effects = run_kolmogorov_smirnov(reference, windows)
    for (k, j), p in np.ndenumerate(p_values):
        expected = stats.ks_2samp(reference[:, j], windows[k, :, j], method="exact")
        assert effects[k, j] == pytest.approx(expected.statistic, abs=1e-12)
        assert p == pytest.approx(expected.pvalue, rel=0.15, abs=1e-12)


@pytest.mark.parametrize(("m", "n"), [(20, 100), (151, 200), (151, 500), (900, 200)])
def test_small_p_values_are_close_to_those_of_the_exact_test(m, n):
    reference = np.linspace(0, 1, m, endpoint=False)
    for shift in np.arange(0.1, 0.6, 0.02):
        window = np.linspace(0, 1, n, endpoint=False) + shift
        exact = stats.ks_2samp(reference, window, method="exact").pvalue
        if 1e-4 < exact < 0.05:
            p_values, _ = run_kolmogorov_smirnov(reference[:, None], window[None, :, None])
            assert p_values[0, 0] == pytest.approx(exact, rel=0.3)


def test_chi_square_agrees_with_scipy_and_ignores_a_class_without_counts():
    reference = np.array([30, 0, 61])
    windows = np.array([[70, 0, 130], [10, 0, 190]])
    p_values, effects = run_chi_square(reference, windows)
    for window, p in zip(windows, p_values, strict=True):
        table = np.array([reference, window])[:, [0, 2]]
        assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert effects[1] == pytest.approx(190 / 200 - 61 / 91)
    p_values, effects = run_chi_square(np.array([5, 0]), np.array([[9, 0]]))
    assert (p_values[0], effects[0]) == (1, 0)


def test_holm_adjusts_step_by_step_and_keeps_the_order():
    adjusted = adjust_holm(np.array([[0.01, 0.04, 0.03], [0.5, 0.6, 0.9]]))
    assert adjusted == pytest.approx(np.array([[0.03, 0.06, 0.06], [1, 1, 1]]))


@pytest.mark.parametrize(
    ("count", "spans"), [(0, []), (199, []), (200, [(0, 200)]), (599, [(0, 200), (200, 400)])]
)
def test_later_predictions_move_no_window(count, spans):
    assert cut_windows(count, 200) == spans


def test_weights_are_the_same_as_repeated_rows_and_reduce_the_sample_size():
    reference = draw_shares(151).round(2)
    windows = draw_shares((3, 200), 1, (2, 1, 1)).round(2)
    repeats = np.random.default_rng(2).integers(0, 4, 151)
    _, weighted = run_kolmogorov_smirnov(
        reference, windows, np.tile(repeats / repeats.sum(), (3, 1))
    )
    _, repeated = run_kolmogorov_smirnov(np.repeat(reference, repeats, axis=0), windows)
    assert weighted == pytest.approx(repeated, abs=1e-12)
    subset = np.tile(np.arange(151) % 10 == 0, (3, 1)) / 16
    p_weighted, _ = run_kolmogorov_smirnov(reference, windows, subset)
    assert p_weighted == pytest.approx(run_kolmogorov_smirnov(reference[::10], windows)[0])


def test_label_shift_up_to_the_tolerance_is_adjusted_for():
    rng = np.random.default_rng(1)
    reference = draw_reference(rng, 500)
    truth = rng.choice(3, 2000, p=[0.7, 0.2, 0.1])
    stream = draw_predictions(truth, rng)
    smallest = [
        Windows.from_stream(reference, stream, 1000, tolerance).p_values.min()
        for tolerance in (0, 0.05, 0.2, 0.5)
    ]
    assert smallest == sorted(smallest)
    assert smallest[1] < 0.01 < smallest[3]


def test_adjusted_windows_differ_under_covariate_shift_and_not_under_label_shift():
    rng = np.random.default_rng(0)
    reference = draw_reference(rng, 500)
    truth = rng.choice(3, 1000, p=[0.7, 0.2, 0.1])
    p_values, _, change, _ = compare_adjusted(reference, draw_predictions(truth, rng)[None])
    assert p_values.min() > 0.01 and change[0, 0] > 0.2
    less_certain = draw_predictions(truth, rng, strength=0.5)
    p_values, *_ = compare_adjusted(reference, less_certain[None])
    assert p_values.min() < 1e-4
