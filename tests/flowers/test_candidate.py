"""Demands on promotion: who leads, what bars the way, and a card that can be checked."""

import hashlib
import io
import json

import joblib
import numpy as np
import pytest
from estimator_data import CLASSES
from flowers.classify import probabilities
from flowers.model_files import load
from photo_files import encoded, picture

from flowers.evaluation.champion import LIBRARIES, card, champion, gate
from flowers.learning.naive_bayes import CalibratedNB

SIZE = 16


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
    assert champion(scores, APART, 0.05)[0] == "svm"


def test_of_models_not_told_apart_the_lower_log_loss_wins():
    worse, better = figures(0.69, 0.9), figures(0.69, 0.7)
    leader = figures(0.70, 0.8)
    assert champion({"nb": better, "svm": leader}, ALIKE, 0.05)[0] == "nb"
    assert champion({"nb": worse, "svm": leader}, ALIKE, 0.05)[0] == "svm"


def test_alpha_says_what_is_told_apart():
    scores = {"svm": figures(0.70, 0.8), "nb": figures(0.65, 0.7)}
    # 5 photos against none: p = 2 / 2^5.
    correct = {"svm": right((0, 70)), "nb": right((0, 65))}
    assert champion(scores, correct, 0.05)[0] == "nb"
    assert champion(scores, correct, 0.07)[0] == "svm"


def test_equal_accuracy_is_led_by_the_higher_lower_bound_then_the_lower_log_loss():
    correct = {"a": right((0, 50)), "b": right((50, 50))}
    bound = {"a": figures(0.5, 0.7, low=0.3), "b": figures(0.5, 0.7, low=0.4)}
    loss = {"a": figures(0.5, 0.7), "b": figures(0.5, 0.6)}
    for scores in (bound, loss):
        # With alpha 1 nobody is equal: the leader stays.
        assert champion(scores, correct, 1.0)[0] == "b"


def test_each_model_is_compared_with_the_leader_alone():
    scores = {"a": figures(0.8, 0.9), "b": figures(0.79, 0.8), "c": figures(0.2, 0.1)}
    correct = {"a": right((0, 80)), "b": right((0, 79)), "c": right((0, 20))}
    name, reasons = champion(scores, correct, 0.05)
    assert name == "b"
    assert all(any(reason.startswith(model) for reason in reasons) for model in "abc")


GOOD = {"scores": figures(0.7, 0.9, low=0.65), "baseline": 0.3, "crossing": 0}


def test_a_good_candidate_passes_every_check():
    checks = gate(**GOOD, min_accuracy_low=0.65, max_log_loss=0.9)
    assert len(checks) == 4 and all(check["passed"] for check in checks)


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        ({"crossing": 1}, 0),
        ({"min_accuracy_low": 0.66}, 1),
        ({"baseline": 0.65}, 2),
        ({"max_log_loss": 0.89}, 3),
    ],
)
def test_each_fault_fails_its_own_check_alone(fault, failed):
    checks = gate(**GOOD | {"min_accuracy_low": 0.5, "max_log_loss": 1.0} | fault)
    assert [i for i, check in enumerate(checks) if not check["passed"]] == [failed]
    assert next(iter(fault.values())) in (checks[failed]["value"], checks[failed]["limit"])


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(0)
    X = generator.integers(0, 256, (50, 3 * SIZE**2), dtype=np.uint8)
    return CalibratedNB(folds=2).fit(X, np.tile(CLASSES, 10))


@pytest.fixture(scope="module")
def model_bytes(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


GOLDEN = {
    "1-Lotus.jpg": encoded(picture(), "JPEG"),
    "2-Tulip.png": encoded(picture(30, 60), "PNG"),
}


@pytest.fixture
def facts(model, model_bytes):
    return card(model_bytes, model, ["pixels"], SIZE, GOLDEN)


def test_the_card_names_the_model_by_its_bytes(facts, model_bytes):
    assert facts["model"]["bytes"] == len(model_bytes)
    assert facts["model"]["md5"] == hashlib.md5(model_bytes).hexdigest()
    assert facts["model"]["sha256"] == hashlib.sha256(model_bytes).hexdigest()


def test_the_card_says_how_to_ask_the_model(facts, model):
    assert facts["classes"] == CLASSES.tolist()
    assert (facts["features"], facts["size"]) == (["pixels"], SIZE)
    assert facts["model"]["estimator"] == "CalibratedNB"
    assert facts["model"]["params"] == model.get_params()
    assert set(facts["versions"]) == {"python", *LIBRARIES}


def test_golden_answers_come_again_from_the_file_and_the_written_card(facts, model_bytes, tmp_path):
    (tmp_path / "model.joblib").write_bytes(model_bytes)
    loaded, kept = load(tmp_path / "model.joblib"), json.loads(json.dumps(facts))
    assert kept == facts
    assert [entry["file"] for entry in kept["golden"]] == list(GOLDEN)
    for entry in kept["golden"]:
        answer = probabilities(GOLDEN[entry["file"]], loaded, kept["features"], kept["size"])
        assert answer.tolist() == entry["probabilities"]


def test_the_same_run_writes_the_same_card(facts, model, model_bytes):
    assert card(model_bytes, model, ["pixels"], SIZE, GOLDEN) == facts
