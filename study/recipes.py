"""Recipes, the parameter sets in recipes/: python -m study.recipes NAME writes one to params.yaml.

A recipe is a set of parameters; a protocol is a recipe with a split strategy, as compared on real
photos.
"""

import difflib
import os
import sys
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.base.tables import write_text
from study.parameters import (
    PATH,
    describe_changes,
    flatten_sections,
    merge_changes,
    read_sections,
    replace_values,
)
from study.repository import ROOT

FOLDER = ROOT / "recipes"
# The protocol, which is also the name of its experiment: recipe and split strategy.
PROTOCOLS = {
    f"{recipe}-{strategy}": (recipe, strategy)
    for recipe, strategy in (
        ("pixels", "random"),
        ("pixels", "grouped"),
        ("pixels-tuned", "grouped"),
        ("hog-colour", "random"),
        ("hog-colour", "grouped"),
        ("fisher-small", "random"),
        ("fisher-small", "grouped"),
        ("fisher-large", "random"),
        ("fisher-large", "grouped"),
    )
}


def list_recipes():
    """Names of the recipes."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_recipe(name):
    """Return the path of a recipe in recipes/, or of a file of yours."""
    if name in list_recipes():
        return FOLDER / f"{name}.yaml"
    path = Path(os.path.expanduser(name))  # of an unknown user it is unchanged
    if path.is_file():
        return path
    close = difflib.get_close_matches(name, list_recipes(), n=1)
    question = f"did you mean {close[0]}? " if close else ""
    names = ", ".join(list_recipes())
    raise BadInput(f"there is no recipe {name}: {question}name one of {names}, or a file")


def read_recipe(name):
    """Read the parameters of a recipe, from "section.key" to value; BadInput if it is none."""
    return flatten_sections(read_sections(find_recipe(name)))


def read_section(name, section):
    """Read one section of params.yaml with the parameters of a recipe, from key to value."""
    params = read_sections(ROOT / PATH)[section]
    return params | read_sections(find_recipe(name)).get(section, {})


def read_svm_params(recipe):
    """Read the parameters of the SVM of a recipe, which are those of `GramSVC`."""
    params = read_section(recipe, "train_svm")
    return {key: value for key, value in params.items() if key not in ("solver", "augment")}


def use_recipe(name):
    """Write a recipe to params.yaml, whose comments stay; return the changes as text."""
    recipe = read_recipe(name)
    old = flatten_sections(read_sections(PATH))
    merge_changes(recipe)
    write_text(PATH, replace_values(PATH.read_text(encoding="utf-8"), recipe))
    return describe_changes(old, recipe) or "params.yaml has these parameters already"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit(f"use: name a recipe: make use RECIPE={'|'.join(list_recipes())}")
    try:
        print(f"use: {use_recipe(sys.argv[1])}")
    except (BadInput, OSError) as error:
        sys.exit(f"use: {error}")
