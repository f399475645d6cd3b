import numpy as np
import pytest

from flowers.drift.expected_accuracy import estimate_accuracy
from tests.flowers.drift.synthetic import draw_predictions, draw_reference


def draw_calibrated(truth, rng, strength=2.0):
    """Probabilities of a calibrated model: of normal scores whose strength it knows."""
    scores = rng.normal(size=(len(truth), 3))
    scores[np.arange(len(truth)), truth] += strength
    odds = np.exp(strength * scores)
    return odds / odds.sum(axis=1, keepdims=True)


def compute_accuracy(probabilities, truth):
    return (probabilities.argmax(axis=1) == truth).mean()


@pytest.mark.parametrize("proportions", [[1 / 3] * 3, [0.8, 0.1, 0.1]])
def test_the_interval_covers_the_true_accuracy_also_under_label_shift(proportions):
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        reference = draw_reference(rng, 250)
        truth = rng.choice(3, 500, p=proportions)
        figures = estimate_accuracy(reference, draw_predictions(truth, rng))
        many = rng.choice(3, 20_000, p=proportions)
        true = compute_accuracy(draw_predictions(many, rng), many)
        covered += figures["low"] <= true <= figures["high"]
        assert figures["low"] < figures["estimate"] < figures["high"]
    assert covered >= 52


def test_less_certain_predictions_of_a_calibrated_model_are_expected_to_be_less_accurate():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 4000)
    reference = draw_reference(rng, 3000)
    calibrated = type(reference)(
        **vars(reference) | {"probabilities": draw_calibrated(reference.truth, rng)}
    )
    for strength in (2.0, 1.0, 0.5):
        late = draw_calibrated(truth, rng, strength)
        estimate = estimate_accuracy(calibrated, late)["estimate"]
        assert estimate == pytest.approx(compute_accuracy(late, truth), abs=0.03)


def test_a_class_without_reference_images_and_a_single_prediction_give_finite_estimates():
    rng = np.random.default_rng(1)
    reference = draw_reference(rng, 60, n_classes=2)
    figures = estimate_accuracy(reference, draw_predictions(np.array([1]), rng))
    assert all(0 <= value <= 1 for value in figures.values())
