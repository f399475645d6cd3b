"""New values keep every comment and every other line of params.yaml."""

import pytest
from ruamel.yaml import YAML

from study.parameters import flatten_sections, replace_values
from study.recipes import list_recipes, read_recipe
from tests.imports import ROOT

TEXT = (ROOT / "params.yaml").read_text()
OTHER = """\
fetch:
  path:  # none
  source: synthetic
flatten:
  features:
    - pixels  # the original
    - hog     # gradients
  # of the next section
train_svm: {C: 1.0, kernel: rbf}  # short
"""


def get_comments(text):
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_undoes_another_one_byte_for_byte(name):
    changed = replace_values(TEXT, read_recipe(name))
    assert read_recipe(name).items() <= flatten_sections(YAML(typ="safe").load(changed)).items()
    assert get_comments(changed) == get_comments(TEXT)
    for other in list_recipes():
        changed = replace_values(changed, read_recipe(other))
    assert replace_values(changed, read_recipe("fisher-small")) == TEXT


def test_values_are_replaced_in_a_file_of_another_form():
    changes = {
        "fetch.path": "/data/my photos: 1.zip",
        "flatten.features": ["hog", "fisher"],
        "train_svm.C": 1e-9,
    }
    changed = replace_values(OTHER, changes)
    values = flatten_sections(YAML(typ="safe").load(OTHER)) | changes
    assert flatten_sections(YAML(typ="safe").load(changed)) == values
    assert get_comments(changed) == [" none", " gradients", " of the next section", " short"]
    assert replace_values(OTHER, flatten_sections(YAML(typ="safe").load(OTHER))) == OTHER


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        1.5,
        float("inf"),
        "null",
        "1e5",
        "on",
        "a: b",
        "#",
        "é",
        "",
        [],
        [[1, "x, y"]],
    ],
)
def test_any_value_can_be_written(value):
    changed = replace_values(TEXT, {"fetch.path": value})
    assert YAML(typ="safe").load(changed)["fetch"]["path"] == value
    assert replace_values(changed, {"fetch.path": None}) == TEXT
