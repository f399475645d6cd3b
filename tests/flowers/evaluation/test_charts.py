"""Charts are valid SVG, and name models and classes."""

from xml.etree import ElementTree

import numpy as np
import pytest

from flowers.evaluation import charts, metrics
from flowers.evaluation.predictions import Predictions

CLASSES = np.array(["Lilly", "Lotus", "Tulip"])


@pytest.fixture(scope="module")
def svgs():
    """One chart of each kind."""
    rng = np.random.default_rng(0)
    labels = rng.choice(CLASSES, 90)
    by_model = {}
    for name in ("svm", "nb"):
        probabilities = rng.dirichlet(np.ones(3), 90)
        by_model[name] = Predictions(labels, np.arange(90), CLASSES, probabilities, probabilities)
    tuning = [
        {"C": C, "gamma": gamma, "grouped": 0.5 + C / 10, "random": 0.8, "chosen": C == 2}
        for gamma in (0.1, 0.2)
        for C in (2, 1)
    ]
    return charts.plot_evaluation(by_model, *metrics.compute_curves(by_model, 5), tuning)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("confusion", ["svm", "nb", *CLASSES]),
        ("reliability", ["svm", "nb"]),
        ("recall", ["svm", "nb", *CLASSES]),
        ("tuning", ["grouped folds, gamma 0.1", "random folds, gamma 0.2", "C"]),
    ],
)
def test_a_chart_is_valid_svg_that_names_every_model_and_class(svgs, kind, names):
    root = ElementTree.fromstring(svgs[kind])
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("viewBox")
    assert not any(line != line.rstrip() for line in svgs[kind].splitlines())
    # Text is drawn as paths; matplotlib adds each text as a comment.
    for name in names:
        assert f"<!-- {name} -->" in svgs[kind]


def test_a_parameter_without_candidates_is_one_point():
    row = {"C": "1.0", "gamma": "0.1", "grouped": "0.7", "random": "", "chosen": "1"}
    svg = charts.plot_tuning([row])
    assert "<!-- grouped folds -->" in svg and "random" not in svg
