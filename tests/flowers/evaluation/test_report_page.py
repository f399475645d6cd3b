"""The report page: one self-contained file in which names are escaped."""

import re

from flowers.evaluation.report_page import render_report

MODEL = {
    "accuracy": 0.7895,
    "accuracy_low": 0.7175,
    "accuracy_high": 0.8571,
    "calibration_error": 0.1003,
    "confidence_threshold": 0.4,
}
IMAGES = "confusion confident_errors recall reliability label_issues tuning near_duplicates".split()


def make_figures(leakage, passed):
    check = {"check": "leaked = 0", "value": 3, "limit": 0, "passed": passed}
    mcnemar = {"only_first_correct": 69, "only_second_correct": 4, "p_value": 2.4e-16}
    mcnemar |= {"difference": -0.3421, "low": -0.41, "high": -0.27}
    counts = {"photos": 190, "baseline_accuracy": 0.1842, "svm_vs_nb": mcnemar}
    counts["most_accurate"] = "svm"
    sizes = {"photos": 1005, "distinct": 755, "train": 815, "test": 190}
    sizes |= {"near_duplicate_pairs": 298, "conflicting_groups": 4}
    counts["classifiers"] = {"svm": "GramSVC", "nb": "CalibratedNB"}
    return {
        "evaluate": counts | {"svm": MODEL, "nb": MODEL | {"accuracy": 0.4474}},
        "fetch": {"source": "synthetic", "rejected": {"total": 3}}
        | {"excluded": {"matched": 2}, "relabelled": {"matched": 1}},
        "split": {
            "strategy": "grouped",
            "pairs_by_signal": {"colour": 294, "structure": 4},
            "leakage": {"grouped": leakage, "random": 0.3682},
        }
        | sizes,
        "train_svm": {"features": 49152, "C": 1.0, "gamma": 0.5, "out_of_fold_accuracy": 0.7018},
        "promotion": {"champion": "svm", "passed": passed, "checks": [check]},
        "params": {"title": "Which <b>nut</b>?", "features": ["hog"], "size": 128, "kernel": "rbf"}
        | {"resamples": 2000, "near_duplicate_colour": 0.97},
    }


def render(label="Tulip", candidates=1, leakage=0.0, passed=True, kept=None, changes=()):
    candidate = {"C": "1.0", "gamma": "0.1", "grouped": "0.7", "random": "", "chosen": "1"}
    row = {"precision": "0.8974", "recall": "1.0", "f1": "0.9333", "photos": "36"}
    issue = {"path": f"{label}/1.jpg", "label": label, "suggested": "Lotus"}
    tables = {
        "per_class": [row | {"model": name, "class": label} for name in ("svm", "nb")],
        "label_issues": [issue | {"margin": "0.7100", "reason": "near-duplicate"}],
        "tuning": [candidate] * candidates,
    }
    images = dict.fromkeys(IMAGES, "data:image/jpeg;base64,AAAA")
    figures = make_figures(leakage, passed)
    for model in ("svm", "nb") if kept else ():
        figures["evaluate"][model] = figures["evaluate"][model] | {"without_leaked": kept}
    for name, values in dict(changes).items():
        figures[name] |= values
    return render_report(figures, tables, images)


def strip_tags(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_the_result_is_one_sentence_with_its_interval():
    text = strip_tags(render())
    assert "The SVM classifies 78.9 % of 190 test images correctly" in text
    assert "71.8 % to 85.7 %" in text and "Gaussian naive Bayes 44.7 %" in text and "18.4 %" in text


def test_leakage_raises_a_warning():
    assert 'class="warning"' not in render() and "No leakage" in render()
    page = render(leakage=0.64)
    assert 'class="warning"' in page and "64.0 % of the test images" in strip_tags(page)
    assert "without a near-duplicate in train" not in strip_tags(page)
    kept = {"photos": 70, "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6}
    text = strip_tags(render(leakage=0.64, kept=kept))
    assert "On the 70 test images without a near-duplicate in train the SVM" in text
    assert "50.0 % correctly (95 % interval: 40.0 % to 60.0 %), Gaussian naive Bayes 50.0 %" in text


def test_a_failed_gate_lists_the_failed_checks():
    assert "leaked = 0" not in render()
    text = strip_tags(render(passed=False))
    assert "gate failed" in text and "leaked = 0: value 3, limit 0" in text


def test_every_image_is_embedded_and_every_link_has_its_target():
    assert render(candidates=1).count("<img ") == len(IMAGES) - 1  # without the tuning chart
    page = render(candidates=2)
    assert page.count("<img ") == len(IMAGES)
    assert all(uri.startswith("data:") for uri in re.findall(r'src="([^"]*)"', page))
    for link in re.findall(r'href="([^"]*)"', page):
        assert link.startswith("#") and f'id="{link[1:]}"' in page


def test_names_of_images_and_classes_are_escaped():
    page = render(label='<script>alert("1")</script>')
    assert "<script" not in page and "&lt;script&gt;" in page
