"""Charts are valid SVG, and name models and classes."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from flowers.evaluation import charts, metrics
from flowers.evaluation.predictions import Predictions

MODELS = ("SVM", "Gaussian naive Bayes", "RidgeClassifier")
CLASSES = np.array(["Lilly", "Lotus", "Tulip"])


@pytest.fixture(scope="module")
def svgs():
    """One chart of each kind."""
    rng = np.random.default_rng(0)
    labels = rng.choice(CLASSES, 90)
    by_model = {}
    for name in ("svm", "nb", "other"):
        probabilities = rng.dirichlet(np.ones(3), 90)
        data = (np.arange(90), CLASSES, probabilities, probabilities)
        by_model[name] = Predictions(labels, *data, classifier="RidgeClassifier(alpha=2)")
    tuning = [
        {"C": C, "gamma": gamma, "grouped": 0.5 + C / 10, "random": 0.8, "chosen": C == 2}
        for gamma in (0.1, 0.2)
        for C in (2, 1)
    ]
    return charts.plot_evaluation(by_model, *metrics.compute_curves(by_model, 5), tuning)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("confusion", [*MODELS, *CLASSES, "% of 90 test images correct", "label (test images)"]),
        ("reliability", [*MODELS, "(n = 90)", "5 bins of 18 images", "bin, 95 % interval"]),
        ("recall", [*MODELS, *CLASSES, "(n = 90)", "mean average precision 0."]),
        ("tuning", ["grouped folds, gamma 0.1", "random folds, gamma 0.2", "C", "1\n", "2\n"]),
    ],
)
def test_a_chart_is_valid_svg_that_names_every_model_and_class(svgs, kind, names):
    root = ElementTree.fromstring(svgs[kind])
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
    assert not any(line != line.rstrip() for line in svgs[kind].splitlines())
    # Text is drawn as paths; matplotlib adds each text as a comment.
    texts = "\n".join(re.findall("<!-- (.*?) -->", svgs[kind]))
    assert all(name in texts for name in names)


def test_one_candidate_is_no_curve():
    row = {"C": "1.0", "gamma": "0.1", "grouped": "0.7", "random": "", "chosen": "1"}
    svg = charts.plot_tuning([row])
    assert "<!-- No parameter was tuned: one candidate, C = 1 -->" in svg and "folds" not in svg


def test_a_cell_has_the_percent_of_its_label_and_many_classes_fit():
    labels = np.repeat(["a", "b"], [3, 8])
    svg = charts.plot_confusion(labels, {"SVM": np.repeat(["a", "b"], [2, 9])}, ["a", "b"])
    for text in ("a (3)", "b (8)", "66.7 %", "33.3 %", "100.0 %", "90.9 % of 11"):
        assert text in svg
    many = np.array([f"class {i:02}" for i in range(31)])
    svg = charts.plot_confusion(many, {"SVM": many}, many)
    assert "100.0 % of 31" in svg and svg.count("class 30") == 2 and "<!-- 0 -->" not in svg
