"""Recipes agree with params.yaml, with each other and with the committed results."""

import json

import pytest

from flowers.base.tables import read_json
from stages.support.run import find_faults, read_yaml
from study.ablation import CLASSIFIERS
from study.parameters import flatten_sections
from study.recipes import FOLDER, PROTOCOLS, list_recipes, read_recipe
from tests.imports import ROOT

PARAMS = read_yaml(ROOT / "params.yaml")


@pytest.mark.parametrize("name", list_recipes())
def test_a_recipe_sets_allowed_values_of_the_same_parameters_as_the_others(name):
    recipe = read_recipe(name)
    assert recipe.keys() == read_recipe("pixels").keys()
    merged = {section: dict(values) for section, values in PARAMS.items()}
    for key, value in recipe.items():
        section, _, key = key.partition(".")
        merged[section][key] = value
    assert find_faults(merged, json.loads((ROOT / "params.schema.json").read_text())) == []


def test_the_default_parameters_are_the_recipe_fisher_small():
    assert read_recipe("fisher-small").items() <= flatten_sections(PARAMS).items()


@pytest.mark.parametrize("name", sorted({recipe for recipe, _ in PROTOCOLS.values()}))
def test_the_second_line_of_a_recipe_has_its_measured_cost_and_accuracy(name):
    figures = read_json(ROOT / "metrics/real.json")[f"{name}-grouped"]
    accuracy = figures["external_holdout"]["accuracy"]
    first, second, third = (FOLDER / f"{name}.yaml").read_text().splitlines()[:3]
    assert first.startswith("# ") and not third.startswith("#")
    assert second == (
        f"# {figures['ms_per_photo']:.0f} ms of CPU per photo, a model of "
        f"{figures['model_mb']:.1f} MB; right on {accuracy:.0%} of the external hold-out."
    ).replace("%", " %")


def test_committed_results_have_the_names_of_recipes_and_protocols():
    recipes = set(list_recipes())
    real = read_json(ROOT / "metrics/real.json")
    assert {name: (r["recipe"], r["strategy"]) for name, r in real.items()} == PROTOCOLS
    assert read_json(ROOT / "metrics/folds.json").keys() <= recipes
    rows = read_json(ROOT / "metrics/ablation.json")
    assert {row["features"] for row in rows} | set(CLASSIFIERS.values()) <= recipes
    assert {row["classifier"] for row in rows} == CLASSIFIERS.keys()
