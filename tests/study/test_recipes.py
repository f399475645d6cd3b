"""Recipes and protocols agree with params.yaml and with the committed results."""

import yaml

from flowers.base.tables import read_json
from study.ablation import CLASSIFIERS
from study.recipes import PROTOCOLS, RECIPES
from tests.imports import ROOT


def test_every_parameter_of_a_recipe_exists():
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    names = {f"{stage}.{name}" for stage, values in params.items() for name in values}
    for recipe in (*RECIPES.values(), *CLASSIFIERS.values()):
        assert recipe.keys() <= names


def test_committed_results_have_the_names_of_recipes_and_protocols():
    real = read_json(ROOT / "metrics/real.json")
    assert {name: (r["recipe"], r["strategy"]) for name, r in real.items()} == PROTOCOLS
    assert read_json(ROOT / "metrics/folds.json").keys() <= RECIPES.keys()
    rows = read_json(ROOT / "metrics/ablation.json")
    assert {row["features"] for row in rows} <= RECIPES.keys()
    assert {row["classifier"] for row in rows} == CLASSIFIERS.keys()
