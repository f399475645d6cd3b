"""Demands on promotion: who leads, and what bars the way."""

import numpy as np
import pytest

from flowers.evaluation.champion import check_gate, choose_champion, decide_promotion


def figures(accuracy, log_loss, low=None):
    low = accuracy - 0.1 if low is None else low
    return {"accuracy": accuracy, "accuracy_low": low, "log_loss": log_loss}


def right(*counts, n=100):
    """Right answers in stretches of photos: (first, number) pairs."""
    correct = np.zeros(n, dtype=bool)
    for first, number in counts:
        correct[first : first + number] = True
    return correct


APART = {"svm": right((0, 80)), "nb": right((0, 40))}
ALIKE = {"svm": right((0, 70)), "nb": right((2, 69))}


def test_the_higher_accuracy_leads_if_it_is_told_apart():
    scores = {"nb": figures(0.4, 0.1), "svm": figures(0.8, 0.9)}
    assert choose_champion(scores, APART, 0.05)[0] == "svm"


def test_of_models_not_told_apart_the_lower_log_loss_wins():
    worse, better = figures(0.69, 0.9), figures(0.69, 0.7)
    leader = figures(0.70, 0.8)
    assert choose_champion({"nb": better, "svm": leader}, ALIKE, 0.05)[0] == "nb"
    assert choose_champion({"nb": worse, "svm": leader}, ALIKE, 0.05)[0] == "svm"


def test_alpha_says_what_is_told_apart():
    scores = {"svm": figures(0.70, 0.8), "nb": figures(0.65, 0.7)}
    # 5 photos against none: p = 2 / 2^5.
    correct = {"svm": right((0, 70)), "nb": right((0, 65))}
    assert choose_champion(scores, correct, 0.05)[0] == "nb"
    assert choose_champion(scores, correct, 0.07)[0] == "svm"


def test_equal_accuracy_is_led_by_the_higher_lower_bound_then_the_lower_log_loss():
    correct = {"a": right((0, 50)), "b": right((50, 50))}
    bound = {"a": figures(0.5, 0.7, low=0.3), "b": figures(0.5, 0.7, low=0.4)}
    loss = {"a": figures(0.5, 0.7), "b": figures(0.5, 0.6)}
    for scores in (bound, loss):
        # With alpha 1 nobody is equal: the leader stays.
        assert choose_champion(scores, correct, 1.0)[0] == "b"


def test_each_model_is_compared_with_the_leader_alone():
    scores = {"a": figures(0.8, 0.9), "b": figures(0.79, 0.8), "c": figures(0.2, 0.1)}
    correct = {"a": right((0, 80)), "b": right((0, 79)), "c": right((0, 20))}
    name, reasons = choose_champion(scores, correct, 0.05)
    assert name == "b"
    assert all(any(reason.startswith(model) for reason in reasons) for model in "abc")


GOOD = {"scores": figures(0.7, 0.9, low=0.65), "baseline": 0.3, "leaked_test_photos": 0}


def test_a_good_candidate_passes_every_check():
    checks = check_gate(**GOOD, min_accuracy_low=0.65, max_log_loss=0.9)
    assert len(checks) == 4 and all(check["passed"] for check in checks)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ({"leaked_test_photos": 1}, 0),
        ({"min_accuracy_low": 0.66}, 1),
        ({"baseline": 0.65}, 2),
        ({"max_log_loss": 0.89}, 3),
    ],
)
def test_each_fault_fails_its_own_check_alone(fault, failed):
    checks = check_gate(**GOOD | {"min_accuracy_low": 0.5, "max_log_loss": 1.0} | fault)
    assert [i for i, check in enumerate(checks) if not check["passed"]] == [failed]
    assert next(iter(fault.values())) in (checks[failed]["value"], checks[failed]["limit"])


def test_the_decision_names_the_champion_and_whether_it_passes():
    told = {"svm": figures(0.8, 0.5), "nb": figures(0.4, 0.9), "baseline_accuracy": 0.2}
    labels = np.array(["Lotus"] * 10)
    answered = {"label": labels, "svm": labels, "nb": np.array(["Tulip"] * 10)}
    limits = {"alpha": 0.05, "min_accuracy_low": 0.5, "max_log_loss": 1.0}
    decision = decide_promotion(told, answered, 0, **limits)
    assert (decision["champion"], decision["passed"]) == ("svm", True)
    assert decide_promotion(told, answered, 3, **limits)["passed"] is False
