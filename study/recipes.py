"""Recipes, the parameter sets in recipes/, and the protocols that are compared on real photos.

A recipe is a set of parameters; a protocol is a recipe with a split strategy.
"""

from stages.support.run import read_yaml
from study.parameters import flatten_sections
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


def read_recipe(name):
    """Read the parameters of a recipe, from "section.key" to value."""
    return flatten_sections(read_yaml(FOLDER / f"{name}.yaml"))


def read_section(name, section):
    """Read one section of params.yaml with the parameters of a recipe, from key to value."""
    params = read_yaml(ROOT / "params.yaml")[section]
    return params | read_yaml(FOLDER / f"{name}.yaml").get(section, {})


def read_svm_params(recipe):
    """Read the parameters of the SVM of a recipe, which are those of `GramSVC`."""
    params = read_section(recipe, "train_svm")
    return {key: value for key, value in params.items() if key not in ("solver", "mirror")}
