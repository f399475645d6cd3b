import numpy as np
import pytest

from flowers.drift.history import MIN_HISTORY, STEP, Baseline, History
from flowers.drift.mean_tests import LENGTHS, RUN_RULES, MeanTests
from tests.flowers.drift.synthetic import adjust_scores, draw_predictions, draw_reference

PARAMS = {"window": 500, "proportion_tolerance": 0.075}


def run_tests(reference, probabilities, day):
    before = reference.probabilities
    truth = reference.truth
    tables = [adjust_scores(before, truth, x) for x in (before, probabilities)]
    return MeanTests.from_scores(truth, *tables, day, PARAMS)


def simulate(reference, truth, rng):
    """Tests of a stream of these classes, 500 predictions a day."""
    return run_tests(reference, draw_predictions(truth, rng), np.arange(len(truth)) // 500)


def test_without_a_change_p_values_are_valid():
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(60):
        tests = simulate(draw_reference(rng), rng.integers(0, 3, 4000), rng)
        p_values.append(tests.p_values[-1])
    p = np.array(p_values)
    assert 0.003 < (p <= 0.1).mean() < 0.13 and (p <= 1e-4).mean() < 0.01


@pytest.mark.parametrize("start", [500, 730])
def test_other_predictions_for_the_same_classes_are_detected_in_the_scores(start):
    rng = np.random.default_rng(1)
    reference = draw_reference(rng)
    truth = rng.integers(0, 3, start + 500)
    before = draw_predictions(truth[:start], rng)
    late = np.concatenate([before, draw_predictions(truth[start:], rng, strength=0.8)])
    tests = run_tests(reference, late, np.arange(len(late)) // 500)
    change_start, end = tests.find_first_low()
    assert start < end <= start + 400 and abs(change_start - start) <= 200


def test_a_missing_class_meets_a_run_rule_and_day_to_day_variation_does_not():
    rng = np.random.default_rng(2)
    reference = draw_reference(rng)
    without = rng.integers(1, 3, 2000)
    gone = simulate(reference, np.concatenate([rng.integers(0, 3, 500), without]), rng)
    start, end = gone.find_first_run()
    assert end <= 2500 and start >= 300
    days = [rng.choice(3, 500, p=p) for p in ([0.46, 0.27, 0.27], [0.22, 0.39, 0.39]) * 10]
    tests = simulate(reference, np.concatenate(days), rng)
    assert tests.find_first_run() is None


def test_bursts_raise_no_false_alarms():
    rng = np.random.default_rng(3)
    detected = {1: 0, 10: 0}
    for burst in detected:
        for _ in range(20):
            truth = np.repeat(rng.integers(0, 3, 4000 // burst), burst)
            tests = simulate(draw_reference(rng), truth, rng)
            spans = tests.find_first_low(), tests.find_first_run()
            detected[burst] += any(span is not None for span in spans)
    assert detected[1] <= 1 and detected[10] <= 2


def test_later_predictions_change_no_earlier_test():
    rng = np.random.default_rng(4)
    reference = draw_reference(rng)
    truth = rng.integers(0, 3, 3230)
    probabilities = draw_predictions(truth, rng)
    day = np.arange(3230) // 410
    whole = run_tests(reference, probabilities, day)
    for count in (0, 49, 99, 100, 820, 1337, 2460):
        early = run_tests(reference, probabilities[:count], day[:count])
        for name in ("ends", "p_values", "windows", "deviations"):
            values = getattr(early, name)
            assert (values == getattr(whole, name)[: len(values)]).all()
        assert len(early.ends) == count // STEP


def test_the_covariance_is_pooled_within_the_reference_set_and_the_stream():
    rng = np.random.default_rng(5)
    reference, stream = (rng.normal(4, [1, 3, 0.2], (count, 3)) for count in (90, 2130))
    history = History(reference, stream)
    assert history.ends[-1] == 2100 and history.ends[history.marks[-1]] == 2000
    newest = history.sum_between(np.array([10]), np.array([14]))[0]
    assert newest == pytest.approx((stream[500:700] - reference.mean(axis=0)).sum(axis=0))
    for mark, covariance in zip(history.marks, history.covariance, strict=True):
        count = history.ends[mark]
        within = 90 * np.cov(reference.T, bias=True) + count * np.cov(stream[:count].T, bias=True)
        assert covariance == pytest.approx(within / (90 + count))
    axes = history.whitening[-1]
    assert axes.T @ history.covariance[-1] @ axes == pytest.approx(np.eye(3), abs=0.02)


def test_a_change_does_not_inflate_its_own_variance():
    rng = np.random.default_rng(5)
    reference = rng.normal(size=(90, 3))
    stream = rng.normal(size=(1000, 3))
    late = np.concatenate([stream[:800], np.repeat(9 * stream[800:900], 2, axis=0)])
    for length, same in ((200, True), (100, False)):
        span = np.array([(1000 - length) // STEP]), np.array([1000 // STEP])
        effects, mark = History(reference, stream).get_dependence(*span)
        late_effects, late_mark = History(reference, late).get_dependence(*span)
        assert (effects[-1] == late_effects[-1]) == same and mark[-1] == late_mark[-1]
        assert History(reference, late).marks[mark[-1]] == MIN_HISTORY // STEP - 1


def test_the_variance_of_the_baseline_is_that_over_many_streams():
    rng = np.random.default_rng(9)
    day_sd = 0.1
    means = []
    day = np.arange(1450) // 400
    for _ in range(400):
        stream = rng.normal(size=(1450, 2)) + day_sd * rng.normal(size=(4, 2))[day]
        reference = rng.normal(size=(20, 2))
        reference *= 1 / reference.std(axis=0)  # the same weights of days in each stream
        baseline = Baseline(History(reference, stream), day, day_sd)
        means.append(baseline.mean[-1] + reference.mean(axis=0))
    variance = baseline.photo_share[-1] + day_sd**2 * baseline.day_share[-1]
    assert np.var(means) == pytest.approx(variance, rel=0.15)
    assert 0.2 < baseline.photo_share[-1] / variance < 0.8


def test_a_window_covers_the_mean_day_before():
    rng = np.random.default_rng(13)
    reference = draw_reference(rng)
    day = np.repeat(np.arange(4), [400, 1000, 1000, 600])
    probabilities = draw_predictions(rng.integers(0, 3, 3000), rng)
    windows = run_tests(reference, probabilities, day).windows
    assert windows[[0, 8, 28, -1]].tolist() == [500, 500, 700, 800]


def test_a_run_within_one_day_counts_as_less_than_one_over_days():
    rng = np.random.default_rng(14)
    reference = draw_reference(rng)
    truth = np.concatenate([rng.integers(0, 3, 500), rng.choice(3, 1000, p=[0.6, 0.2, 0.2])])
    probabilities = draw_predictions(truth, rng)
    days = np.repeat([0, 1], [500, 1000]), np.repeat([0, 1, 2], 500)
    within, over = (run_tests(reference, probabilities, day).deviations[-1, 0] for day in days)
    assert 0 < within < 0.7 * over


def test_with_a_small_reference_set_label_shift_is_not_detected_in_the_scores():
    rng = np.random.default_rng(10)
    p_values = []
    for _ in range(30):
        truth = rng.choice(3, 3000, p=[0.96, 0.02, 0.02])
        p_values.append(simulate(draw_reference(rng, 40), truth, rng).p_values[-1, -1])
    assert np.mean(np.array(p_values) <= 0.1) <= 0.2


def test_scores_that_explain_the_noise_of_the_estimates_make_run_rules_more_powerful():
    rng = np.random.default_rng(11)
    weights = np.array([[2, -2, 0], [0, 2, -2.0]])

    def draw_tables(truth):
        scores = rng.normal(size=(len(truth), 2))
        return scores, np.eye(3)[truth] + scores @ weights

    truth = rng.integers(0, 3, 150)
    late = rng.choice(3, 1500, p=[0.7, 0.2, 0.1])
    tables = draw_tables(truth), draw_tables(late)
    unrelated = [(rng.normal(size=(len(x), 2)), x) for _, x in tables]
    deviations = [
        MeanTests.from_scores(truth, *t, np.arange(1500), PARAMS).deviations[-1].max()
        for t in (tables, unrelated)
    ]
    assert deviations[0] > 2 * deviations[1] > 0


def test_a_class_without_reference_images_gives_finite_tests():
    rng = np.random.default_rng(7)
    reference = draw_reference(rng, 60, n_classes=2)
    assert reference.probabilities.shape[1] == 3
    tests = simulate(reference, rng.integers(0, 2, 3100), rng)
    assert np.isfinite(tests.p_values).all() and tests.deviations.shape[1] == len(RUN_RULES)
    assert all(length % STEP == 0 for length in LENGTHS)
