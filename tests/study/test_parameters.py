"""New values keep every comment and every other line of params.yaml."""

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from flowers.base.errors import BadInput
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
    assert get_comments(changed) == [" none", " of the next section", " short"]
    assert replace_values(OTHER, flatten_sections(YAML(typ="safe").load(OTHER))) == OTHER


@pytest.mark.parametrize(
    "value", [None, True, 1.5, float("inf"), "null", "1e5", "a: b", "#", "é", "", [[1, "x, y"]]]
)
def test_any_value_can_be_written(value):
    changed = replace_values(TEXT, {"fetch.path": value})
    assert YAML(typ="safe").load(changed)["fetch"]["path"] == value
    assert replace_values(changed, {"fetch.path": None}) == TEXT


@pytest.mark.parametrize("name", ["pixels", "hog-colour"])
def test_values_are_replaced_in_the_file_as_dvc_rewrites_it(tmp_path, name):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    apply_overrides(
        path, ["flatten.features=[hog,colour]", "train_other.options={a:1,b:[2,{c:3}]}"]
    )
    text = path.read_text()
    assert "  features:" in text and "  - colour\n" in text and "path: null" not in text
    old = flatten_sections(YAML(typ="safe").load(text))
    for changes in (read_recipe(name), {"train_other.options": None}, {"fetch.path": "a b"}):
        changed = replace_values(text, changes)
        assert flatten_sections(YAML(typ="safe").load(changed)) == old | changes
        assert get_comments(changed) == get_comments(TEXT)
    everything = flatten_sections(YAML(typ="safe").load(TEXT))
    assert flatten_sections(YAML(typ="safe").load(replace_values(text, everything))) == everything


@pytest.mark.parametrize("value", ["\n    - 1\n    -\n", " [1,\n   2]\n", "", " 'a\n   b'"])
@pytest.mark.parametrize("rest", ["", "  d: 1\n", "# c\nu:\n  d: 1\n"])
def test_values_of_any_form_become_one_line(value, rest):
    text = f"s:\n  a: 0\n  x:{value}".removesuffix("\n" * (not rest))
    text += rest and "\n" * (not text.endswith("\n")) + rest
    old = flatten_sections(YAML(typ="safe").load(text))
    for new in ("b", [3, None], {"k": [1]}):
        changed = replace_values(text, {"s.x": new})
        assert flatten_sections(YAML(typ="safe").load(changed)) == old | {"s.x": new}
        assert get_comments(changed) == get_comments(text)


def test_a_file_whose_values_cannot_be_replaced_is_refused_in_one_line():
    text = "s:\n  x: &list\n  - 1\n  y: *list\n"
    with pytest.raises(BadInput, match="s.x cannot be replaced") as caught:
        replace_values(text, {"s.x": [2]})
    assert len(str(caught.value).splitlines()) == 1
