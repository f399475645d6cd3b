"""The card of a model: what it is, by which bytes, and what it must answer."""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import jsonschema

from flowers.errors import BadInput

CARD, ORIGIN = "card.json", "origin.json"
# Goes up when folders of before can no longer be read: 2 came with estimators in rooms.
FORM = 2
LIBRARIES = ("joblib", "numpy", "Pillow", "scikit-learn", "scipy")


_DIGEST = {"type": "string", "pattern": "^[0-9a-f]+$"}
_NAME = {"type": "string", "pattern": r"^[^/\\\0]+$", "not": {"enum": [".", ".."]}}
_NAMES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}}
_SHARES = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}}


def _object(**properties):
    return {"type": "object", "required": list(properties), "properties": properties}


CARD_SCHEMA = _object(
    form={"const": FORM},
    classes=_NAMES | {"minItems": 2},
    features=_NAMES,
    size={"type": "integer", "minimum": 16},
    model=_object(file=_NAME, md5=_DIGEST, sha256=_DIGEST),
    versions={"type": "object"},
    golden={"type": "array", "items": _object(file=_NAME, probabilities=_SHARES)},
)
# Only of a model with features that learn.
CARD_SCHEMA["properties"]["codebook"] = _object(file=_NAME, sha256=_DIGEST)
ORIGIN_SCHEMA = _object(version={"type": "string", "minLength": 1})


def card(content, estimator, features, size, golden):
    """Say what a server has to know of a model, and how to see that it still answers the same.

    Parameters
    ----------
    content : bytes
        The model file.
    estimator : estimator
        The same, loaded.
    features : list of str
        Keys of ``flowers.features.extraction.EXTRACTORS``.
    size : int
        Pixels a side.
    golden : list of dict
        ``file`` and ``probabilities`` of each golden photo.

    Returns
    -------
    dict
        Of the form of `CARD_SCHEMA`.
    """
    return {
        "form": FORM,
        "classes": [str(c) for c in estimator.classes_],
        "features": list(features),
        "size": size,
        "model": {
            "file": "model.joblib",
            "estimator": type(estimator).__name__,
            "params": estimator.get_params(),
            "bytes": len(content),
            "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
        },
        # The minor version alone: pickles do not depend on more.
        "versions": {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        | {name: version(name) for name in LIBRARIES},
        "golden": golden,
    }


def read(folder):
    """Give the card of a model folder and its origin, both checked for their form.

    Returns
    -------
    card, origin : dict
        `origin` is empty where no tag names the model.

    Raises
    ------
    BadInput
        If a file is missing, or is not what it should be.
    """
    folder = Path(folder)
    card = _json(folder / CARD)
    if isinstance(card, dict) and "model" in card and card.get("form") != FORM:
        raise BadInput(
            f"{folder / CARD} has form {card.get('form', 1)}, this version reads {FORM}: run "
            "dvc repro and promote anew, or serve it with the version of its commit"
        )
    _check(card, CARD_SCHEMA, folder / CARD)
    origin = {}
    if (folder / ORIGIN).exists():
        origin = _json(folder / ORIGIN)
        _check(origin, ORIGIN_SCHEMA, folder / ORIGIN)
    return card, origin


def _json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"no model in {path.parent}: {path} is missing; run dvc repro") from error
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(f"{path} cannot be read ({error}): restore it with dvc checkout") from error


def _check(content, schema, path):
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(content)
    )
    if error:
        where = error.json_path.removeprefix("$").removeprefix(".")
        raise BadInput(
            f"{path} is not of its form ({where + ': ' if where else ''}{error.message[:100]}): "
            "restore it with dvc checkout, or fetch the model anew"
        )
