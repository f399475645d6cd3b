"""The choice of the champion and its promotion gate."""

import numpy as np
import pytest

from flowers.evaluation.champion import check_gate, choose_champion, decide_promotion


def make_metrics(accuracy, log_loss, low=None):
    low = accuracy - 0.1 if low is None else low
    return {"accuracy": accuracy, "accuracy_low": low, "log_loss": log_loss}


def mark_correct(first, count, n=100):
    """`count` correct predictions from position `first`."""
    correct = np.zeros(n, dtype=bool)
    correct[first : first + count] = True
    return correct


SIMILAR = {"svm": mark_correct(0, 70), "nb": mark_correct(2, 69)}


def test_without_a_significant_difference_the_lower_log_loss_wins():
    leader = make_metrics(0.70, 0.8)
    better = {"nb": make_metrics(0.69, 0.7), "svm": leader}
    worse = {"nb": make_metrics(0.69, 0.9), "svm": leader}
    assert choose_champion(better, SIMILAR, 0.05)[0] == "nb"
    assert choose_champion(worse, SIMILAR, 0.05)[0] == "svm"


def test_alpha_is_the_significance_level():
    metrics = {"svm": make_metrics(0.70, 0.8), "nb": make_metrics(0.65, 0.7)}
    # 5 images against none: p = 2 / 2^5.
    correct = {"svm": mark_correct(0, 70), "nb": mark_correct(0, 65)}
    assert choose_champion(metrics, correct, 0.05)[0] == "nb"
    assert choose_champion(metrics, correct, 0.07)[0] == "svm"


@pytest.mark.parametrize(
    "b", [make_metrics(0.5, 0.7, low=0.41), make_metrics(0.5, 0.6)], ids=["lower bound", "log loss"]
)
def test_ties_in_accuracy_are_broken_by_the_lower_bound_then_the_log_loss(b):
    correct = {"a": mark_correct(0, 50), "b": mark_correct(50, 50)}
    # With alpha 1 every model counts as different from the leader.
    assert choose_champion({"a": make_metrics(0.5, 0.7), "b": b}, correct, 1.0)[0] == "b"


def test_each_model_is_compared_with_the_leader_alone():
    metrics = {"a": make_metrics(0.8, 0.9), "b": make_metrics(0.79, 0.8)}
    metrics["c"] = make_metrics(0.2, 0.1)
    correct = {
        name: mark_correct(0, count) for name, count in zip("abc", (80, 79, 20), strict=True)
    }
    name, reasons = choose_champion(metrics, correct, 0.05)
    assert name == "b"
    assert all(any(reason.startswith(model) for reason in reasons) for model in "abc")


GOOD = {"metrics": make_metrics(0.7, 0.9, low=0.65), "baseline": 0.3, "leaked": 0}


def test_a_good_candidate_passes_every_check():
    checks = check_gate(**GOOD, min_accuracy_low=0.65, max_log_loss=0.9)
    assert len(checks) == 4 and all(check["passed"] for check in checks)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ({"leaked": 1}, 0),
        ({"min_accuracy_low": 0.66}, 1),
        ({"baseline": 0.65}, 2),
        ({"max_log_loss": 0.89}, 3),
    ],
)
def test_each_fault_fails_its_own_check_alone(fault, failed):
    checks = check_gate(**GOOD | {"min_accuracy_low": 0.5, "max_log_loss": 1.0} | fault)
    assert [i for i, check in enumerate(checks) if not check["passed"]] == [failed]
    assert next(iter(fault.values())) in (checks[failed]["value"], checks[failed]["limit"])


def test_the_decision_names_the_champion_and_the_result_of_its_gate():
    evaluation = {"svm": make_metrics(0.8, 0.5), "nb": make_metrics(0.4, 0.9)}
    evaluation["baseline_accuracy"] = 0.2
    labels = np.array(["Lotus"] * 10)
    predictions = {"label": labels, "svm": labels, "nb": np.array(["Tulip"] * 10)}
    limits = {"alpha": 0.05, "min_accuracy_low": 0.5, "max_log_loss": 1.0}
    decision = decide_promotion(evaluation, predictions, 0, **limits)
    assert (decision["champion"], decision["passed"]) == ("svm", True)
    assert decide_promotion(evaluation, predictions, 3, **limits)["passed"] is False
