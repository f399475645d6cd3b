import numpy as np
import pytest

from flowers.drift.label_shift import (
    LAGS,
    MAX_PAIRS,
    average_by_class,
    compute_critical_value,
    compute_design_effects,
    compute_ranks,
    compute_scores,
    estimate_changes,
)
from tests.flowers.drift.synthetic import adjust_scores, draw_predictions, make_reference


def draw_labelled(shares, count, seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(shares), count, p=shares)
    return draw_predictions(truth, rng, n_classes=len(shares)), truth


@pytest.mark.parametrize("burst", [1, 5])
def test_the_noise_is_the_standard_deviation_of_the_estimate_also_in_bursts(burst):
    ratios = []
    for seed in range(150):
        reference = make_reference(*draw_labelled([0.4, 0.4, 0.2], 200, seed))
        rng = np.random.default_rng([seed, burst])
        truth = np.repeat(rng.choice(3, 500 // burst, p=[0.4, 0.4, 0.2]), burst)
        change, noise = estimate_changes(reference, draw_predictions(truth, rng))
        ratios.append(change / noise)
    assert np.std(ratios) == pytest.approx(1, abs=0.2)
    critical = compute_critical_value(3, 0.01)
    assert (np.abs(ratios) > critical).any(axis=1).mean() < 0.04


def test_the_design_effect_of_bursts_is_their_length_and_sums_the_autocorrelations():
    lines = np.repeat(np.random.default_rng(7).random((400, 2)), 5, axis=0)
    effects = compute_design_effects(lines - 0.5, [600, 2000])
    for count, effect in zip((600, 2000), effects, strict=True):
        centred = lines[:count] - lines[:count].mean(axis=0)
        lags = [(centred[lag:] * centred[:-lag]).sum() for lag in range(1, LAGS + 1)]
        assert effect == pytest.approx(1 + 2 * sum(lags) / (centred**2).sum(), rel=0.01)
    assert effects == pytest.approx(5, rel=0.2)
    assert compute_design_effects(lines, []).shape == (0,)
    assert compute_design_effects(lines[:3], [3]) >= 1
    assert compute_design_effects(np.zeros((500, 2)), [500]) == 1


def test_scores_are_confidence_and_centred_log_probabilities():
    scores = compute_scores(np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]]))
    assert scores[:, 0].tolist() == [0.7, 1.0]
    assert scores[0, 1] - scores[0, 2] == pytest.approx(np.log(0.7 / 0.2))
    assert scores[:, 1:].sum(axis=1) == pytest.approx(0) and np.isfinite(scores).all()


def test_ranks_are_shares_of_lower_reference_values_with_ties_at_the_middle():
    ranks = compute_ranks(np.array([[1.0], [2.0], [2.0], [5.0]]), np.array([[0.0], [2.0], [9.0]]))
    assert ranks[:, 0].tolist() == [0, 0.5, 1]


def test_adjusted_scores_of_the_reference_set_average_to_0_in_each_class():
    probabilities, truth = draw_labelled([1 / 3] * 3, 200, 0)
    scores, estimates = adjust_scores(probabilities, truth, probabilities)
    assert average_by_class(truth, 3, scores) == pytest.approx(0, abs=1e-8)
    assert average_by_class(truth, 3, estimates) == pytest.approx(np.eye(3))
    assert estimates.sum(axis=1) == pytest.approx(1)


def test_label_shift_moves_the_estimates_and_not_the_adjusted_scores():
    probabilities, truth = draw_labelled([1 / 3] * 3, 2000, 1)
    late, _ = draw_labelled([0.7, 0.2, 0.1], 8000, 3)
    scores, estimates = adjust_scores(probabilities, truth, late)
    assert estimates.mean(axis=0) == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert np.abs(scores.mean(axis=0) / scores.std(axis=0)).max() < 0.1


def test_confusion_between_other_classes_moves_products_though_no_single_rank_moves():
    rng = np.random.default_rng(4)
    logs = rng.normal(size=(4000, 4))
    # The first two log-probabilities are equal before and opposite after.
    other = logs.copy()
    logs[:, 1] = logs[:, 0]
    other[:, 1] = -other[:, 0]
    before, after = (np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (logs, other))
    truth = rng.integers(0, 4, 4000)
    scores = [adjust_scores(before, truth, x)[0] for x in (before, after)]
    moved = np.abs(scores[1].mean(axis=0) - scores[0].mean(axis=0)) / scores[0].std(axis=0)
    assert moved[5:].max() > 2 * moved[1:5].max() and moved[5:].max() > 0.5


def test_with_many_classes_the_pairs_that_are_confused_most_are_products():
    probabilities, truth = draw_labelled([0.2] * 5, 400, 5)
    # Seven more classes that are never predicted.
    rest = np.random.default_rng(6).dirichlet(np.ones(7), 400)
    before, after = (
        np.concatenate([0.97 * probabilities, 0.03 * x], axis=1)
        for x in (rest, np.roll(rest, 1, axis=1))
    )
    scores, estimates = adjust_scores(before, truth, before)
    assert scores.shape == (400, 13 + MAX_PAIRS) and estimates.shape == (400, 12)
    moved = np.abs(adjust_scores(before, truth, after)[0] - scores).max(axis=0)
    assert moved[6:13].min() > 0.5 and moved[13:].max() < 0.05
