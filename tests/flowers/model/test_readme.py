"""The README of a model folder: Markdown after metadata in YAML."""

import pytest
import yaml

from flowers.model.readme import render_readme
from tests.flowers.learning.estimator_data import CLASSES
from tests.flowers.model.run_summary import RUN_SUMMARY

MODEL = {"file": "model.joblib", "estimator": "GramSVC", "params": {"C": 1.0}}
MODEL |= {"bytes": 10**6, "md5": "0" * 32}
HOSTILE = [
    "---",
    "a: b",
    "{{x}}",
    "- [x]",
    "# y",
    "'",
    '"',
    "\\",
    "no",
    "💐 螺丝",
    "*a &b",
    "|",
]


def render(classes=CLASSES, **changes):
    rows = [RUN_SUMMARY["per_class"][0] | {"class": str(name)} for name in classes]
    card = RUN_SUMMARY | {
        "model": MODEL,
        "size": 16,
        "features": ["hog"],
        "versions": {"numpy": "2"},
        "numerics": "pinned",
    }
    return render_readme(card | {"classes": list(map(str, classes)), "per_class": rows} | changes)


def split_metadata(readme):
    """The metadata as Hugging Face reads it: between the first two lines of three hyphens."""
    first, head, body = readme.split("---\n", 2)
    assert first == ""
    return yaml.safe_load(head), body


def test_the_metadata_are_those_of_a_model_card_of_hugging_face():
    metadata, body = split_metadata(render())
    assert metadata["license"] == "unknown" and metadata["library_name"] == "scikit-learn"
    assert metadata["pipeline_tag"] == "image-classification"
    (model,) = metadata["model-index"]
    (result,) = model["results"]
    assert result["dataset"] == {"type": "flowers", "name": "Which flower is it?", "split": "test"}
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {"accuracy": 0.5, "f1": 0.5, "log_loss": 1.2}
    assert metadata["metrics"] == list(values)
    assert body.startswith("\n# flowers: nb\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_metadata_are_read_whatever_the_names_are(text):
    study = {"name": "bolts", "title": text, "noun": text}
    metadata, body = split_metadata(render([*HOSTILE, text], study=study, license="MIT"))
    assert metadata["model-index"][0]["results"][0]["dataset"]["name"] == text
    assert metadata["license"] == "mit" and "## Evaluation" in body
