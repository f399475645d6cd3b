"""Demands on charts: valid SVG, the same bytes everywhere, and every name in it."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from flowers.evaluation import charts
from flowers.evaluation import metrics as report

ROOT = Path(__file__).parents[3]
CLASSES = np.array(["Lilly", "Lotus", "Tulip"])


def drawn():
    """One chart of each kind, of the same numbers every time."""
    generator = np.random.default_rng(0)
    labels = generator.choice(CLASSES, 90)
    shares = {name: generator.dirichlet(np.ones(3), 90) for name in ("svm", "nb")}
    answers = {name: CLASSES[p.argmax(axis=1)] for name, p in shares.items()}
    bins = {
        n: report.compute_reliability(p.max(axis=1), answers[n] == labels, 5)
        for n, p in shares.items()
    }
    curves = {
        name: report.compute_precision_recall(labels, p, CLASSES) for name, p in shares.items()
    }
    return {
        "confusion": charts.plot_confusion(labels, answers, CLASSES),
        "reliability": charts.plot_reliability(bins),
        "recall": charts.plot_precision_recall(curves),
        "tuning": charts.plot_tuning(
            [
                {"C": C, "gamma": gamma, "grouped": 0.5 + C / 10, "random": 0.8, "chosen": C == 2}
                for gamma in (0.1, 0.2)
                for C in (2, 1)
            ]
        ),
    }


@pytest.fixture(scope="module")
def pictures():
    return drawn()


@pytest.mark.parametrize("kind", ["confusion", "reliability", "recall", "tuning"])
def test_a_chart_is_valid_svg_with_its_size(pictures, kind):
    root = ElementTree.fromstring(pictures[kind])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") and pictures[kind].endswith("</svg>\n")
    assert not any(line != line.rstrip() for line in pictures[kind].splitlines())


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("confusion", ["svm", "nb", *CLASSES]),
        ("reliability", ["svm", "nb"]),
        ("recall", ["svm", "nb", *CLASSES]),
        ("tuning", ["twins kept together, gamma 0.1", "random folds, gamma 0.2", "C"]),
    ],
)
def test_every_model_and_class_is_named(pictures, kind, names):
    # Letters are drawn as paths; matplotlib leaves each text beside them as a comment.
    for name in names:
        assert f"<!-- {name} -->" in pictures[kind]


def test_other_numbers_give_another_chart():
    row = {"confidence": 0.5, "accuracy": 0.5, "photos": 3}
    assert charts.plot_reliability({"svm": [row]}) != charts.plot_reliability(
        {"svm": [row | {"photos": 4}]}
    )


@pytest.mark.slow
def test_the_same_numbers_give_the_same_bytes_in_every_process(pictures):
    script = (
        "from test_charts import drawn; import sys; sys.stdout.write('|'.join(drawn().values()))"
    )
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    # The hash of a text is not what it is in this process, whatever that is.
    other = str(1 + int(os.environ.get("PYTHONHASHSEED", "random") == "1"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": other},
        capture_output=True,
        check=True,
    )
    assert done.stdout == "|".join(pictures.values()).encode()


def test_a_knob_that_was_not_chosen_is_drawn_as_one_point():
    row = {"C": "1.0", "gamma": "0.1", "grouped": "0.7", "random": "", "chosen": "1"}
    drawn_once = charts.plot_tuning([row])
    assert "<!-- twins kept together -->" in drawn_once and "random" not in drawn_once
