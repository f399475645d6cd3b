"""Demands on the report page: one file, plain words, nothing of a photo's name executed."""

import re

import pytest
from PIL import Image

from flowers.evaluation.report_page import embed_image, render_report

MODEL = {
    "accuracy": 0.7895,
    "accuracy_low": 0.7175,
    "accuracy_high": 0.8571,
    "calibration_error": 0.1003,
    "confidence_threshold": 0.4,
}
NAMES = (
    "confusion",
    "confident_errors",
    "recall",
    "reliability",
    "label_issues",
    "tuning",
    "near_duplicates",
)


def facts(leak=0.0, passed=True, state="ok"):
    check = {"check": "twins = 0", "value": 3, "limit": 0, "passed": passed}
    test = {"only_first_correct": 69, "only_second_correct": 4, "p_value": 2.4e-16}
    counts = {"photos": 190, "baseline_accuracy": 0.1842, "svm_vs_nb": test}
    return {
        "evaluate": counts | {"svm": MODEL, "nb": MODEL | {"accuracy": 0.4474}},
        "fetch": {
            "source": "synthetic",
            "rejected": {"total": 3},
            "excluded": {"found": 2},
            "relabelled": {"found": 1},
        },
        "split": {
            "photos": 1005,
            "distinct": 755,
            "strategy": "grouped",
            "train": 815,
            "test": 190,
            "near_duplicate_pairs": 298,
            "pairs_by_signal": {"colour": 294, "structure": 4},
            "conflicting_groups": 4,
            "leakage": {"grouped": leak, "random": 0.3682},
        },
        "train_svm": {"features": 49152, "C": 1.0, "out_of_fold_accuracy": 0.7018},
        "promotion": {"champion": "svm", "passed": passed, "checks": [check]},
        "drift": {"state": state, "model_version": "v1.0.0"},
        "params": {
            "features": ["hog"],
            "size": 128,
            "resamples": 2000,
            "near_duplicate_colour": 0.97,
        },
    }


def tables(label="Tulip", tried=1):
    told = {"C": "1.0", "gamma": "0.1", "grouped": "0.7", "random": "", "chosen": "1"}
    suspect = {"path": f"{label}/1.jpg", "label": label, "suggested": "Lotus"}
    return {
        "per_class": [{"model": "svm", "class": label, "f1": "0.9"}],
        "label_issues": [suspect | {"margin": "0.71", "reason": "twin"}],
        "tuning": [told] * tried,
    }


def rendered(label="Tulip", tried=1, **told):
    pictures = dict.fromkeys(NAMES, "data:image/jpeg;base64,AAAA")
    return render_report(facts(**told), tables(label, tried), pictures)


def words(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_the_result_is_one_sentence_with_its_interval():
    told = words(rendered())
    assert "The SVM names 79.0 % of 190 test photos right" in told
    assert "71.8 % to 85.7 %" in told and "naive Bayes 44.7 %" in told and "18.4 %" in told


def test_a_leak_is_a_warning_and_its_absence_is_said():
    assert 'class="warning"' not in rendered() and "No test photo has a twin" in rendered()
    leaky = rendered(leak=0.64)
    assert 'class="warning"' in leaky and "64.0 % of the test photos" in words(leaky)


def test_a_failed_gate_names_the_checks_that_failed():
    assert "twins = 0" not in rendered()
    failed = words(rendered(passed=False))
    assert "did not pass" in failed and "twins = 0: it is 3, the limit is 0" in failed


def test_every_picture_is_in_the_page_and_nothing_outside_it():
    text = rendered()
    assert text.count("<img ") == len(NAMES)
    assert all(uri.startswith("data:") for uri in re.findall(r'src="([^"]*)"', text))
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', text))
    for link in re.findall(r'href="#([^"]*)"', text):
        assert f'id="{link}"' in text


def test_names_of_photos_are_text_and_no_more():
    text = rendered(label='<script>alert("1")</script>')
    assert "<script" not in text and "&lt;script&gt;" in text


def test_whether_something_was_chosen_is_said():
    assert "Nothing was chosen" in rendered(tried=1)
    assert "test photos had no say" in words(rendered(tried=3))


def test_the_state_of_drift_is_told():
    assert "alert" in words(rendered(state="alert")).partition("says:")[2]


def test_the_same_facts_give_the_same_page():
    assert rendered() == rendered()


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "jpeg"), ("b.svg", "svg+xml")])
def test_a_picture_says_what_it_is(tmp_path, name, kind):
    if name.endswith("jpg"):
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    else:
        (tmp_path / name).write_text("<svg/>")
    assert embed_image(tmp_path / name).startswith(f"data:image/{kind};base64,")
