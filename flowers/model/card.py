"""The card of a model: what it is, by which bytes, what it must answer, and who vouches for it."""

import hashlib
import json
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import jsonschema

from flowers.base.errors import BadInput
from flowers.base.tables import write_text

CARD, PROVENANCE = "card.json", "provenance.json"
# Raised when older folders can no longer be read: 2 moved the estimators, 3 stored linear
# classifiers as weight vectors, 4 renamed keys and packages.
SCHEMA_VERSION = 4
LIBRARIES = ("joblib", "numpy", "Pillow", "scikit-learn", "scipy")


_DIGEST = {"type": "string", "pattern": "^[0-9a-f]+$"}
_NAME = {"type": "string", "pattern": r"^[^/\\\0]+$", "not": {"enum": [".", ".."]}}
_NAMES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}}
_SHARES = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}}


def _object(**properties):
    return {"type": "object", "required": list(properties), "properties": properties}


CARD_SCHEMA = _object(
    schema_version={"const": SCHEMA_VERSION},
    classes=_NAMES | {"minItems": 2},
    features=_NAMES,
    size={"type": "integer", "minimum": 16},
    model=_object(file=_NAME, md5=_DIGEST, sha256=_DIGEST),
    versions={"type": "object"},
    golden={"type": "array", "items": _object(file=_NAME, probabilities=_SHARES)},
)
# Only of a model with features that learn.
CARD_SCHEMA["properties"]["codebook"] = _object(file=_NAME, sha256=_DIGEST)
_TEXT = {"type": "string", "minLength": 1}
PROVENANCE_SCHEMA = _object(version=_TEXT)
ATTESTATION_SCHEMA = _object(version=_TEXT, commit=_TEXT, tag=_TEXT, folder_md5=_TEXT)


def build_card(file, estimator, features, size, golden):
    """Say what a server has to know of a model, and how to see that it still answers the same.

    Parameters
    ----------
    file : path-like
        Of the model.
    estimator : estimator
        The same, loaded.
    features : list of str
        Keys of ``flowers.features.extraction.EXTRACTORS``.
    size : int
        Pixels a side.
    golden : list of dict
        ``file``, ``label`` and ``probabilities`` of each golden photo.

    Returns
    -------
    dict
        Of the form of `CARD_SCHEMA`.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "classes": [str(c) for c in estimator.classes_],
        "features": list(features),
        "size": size,
        "model": {
            "file": "model.joblib",
            "estimator": type(estimator).__name__,
            "params": estimator.get_params(),
            "bytes": Path(file).stat().st_size,
            "md5": hash_file(file, "md5"),
            "sha256": hash_file(file, "sha256"),
        },
        # The minor version alone: pickles do not depend on more.
        "versions": {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        | {name: version(name) for name in LIBRARIES},
        "golden": golden,
    }


def read_card(folder):
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
    card = _read_json(folder / CARD)
    # Up to version 3.4.0 the key was "form".
    found = isinstance(card, dict) and card.get("schema_version", card.get("form", 1))
    if isinstance(card, dict) and "model" in card and found != SCHEMA_VERSION:
        raise BadInput(
            f"{folder / CARD} has schema version {found}, this program reads "
            f"{SCHEMA_VERSION}: run dvc repro and promote again, or serve it with the program of its "
            "commit"
        )
    _check_schema(card, CARD_SCHEMA, folder / CARD)
    origin = {}
    if (folder / PROVENANCE).exists():
        origin = _read_json(folder / PROVENANCE)
        _check_schema(origin, PROVENANCE_SCHEMA, folder / PROVENANCE)
    return card, origin


def hash_file(file, kind):
    """Give the "md5" or "sha256" of a file, which need not fit into memory."""
    with Path(file).open("rb") as opened:
        found = hashlib.file_digest(opened, partial(hashlib.new, kind, usedforsecurity=False))
    return found.hexdigest()


def get_attestation_path(folder):
    """Name the file that vouches for a model folder: beside it, not in it."""
    folder = Path(folder)
    return folder.with_name(f"{folder.name}.attestation.json")


def hash_folder(folder):
    """Give the MD5 that DVC gives a folder: of the JSON list of its files, provenance.json left out.

    Returns
    -------
    str
    """
    files = {
        path.relative_to(folder).as_posix(): hash_file(path, "md5")
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != PROVENANCE
    }
    # As in dvc_data.hashfile.tree.Tree, whose order is by path.
    listing = json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def write_attestation(folder, origin, md5):
    """Write beside a model folder what its tag says of it.

    Parameters
    ----------
    folder : path-like
    origin : dict
        ``version``, ``commit`` and ``tag``, the same as in its provenance.json.
    md5 : str
        What dvc.lock says of the folder at that commit, as `hash_folder` gives it.
    """
    facts = {key: origin[key] for key in ("version", "commit", "tag")} | {"folder_md5": md5}
    write_text(get_attestation_path(folder), json.dumps(facts, indent=2) + "\n")


def check_attestation(folder, origin):
    """Compare a folder with the digest beside it, if it is promoted, before anything is loaded.

    Raises
    ------
    BadInput
        If the folder claims to be a version that no digest vouches for, or has other bytes.
    """
    path, remedy = (
        get_attestation_path(folder),
        "python -m scoring.registry fetch brings the tagged model",
    )
    if not path.exists():
        if origin:
            raise BadInput(
                f"{Path(folder, PROVENANCE)} says {origin['version']}, and there is no {path} that "
                f"vouches for it: {remedy}"
            )
        return
    facts = _read_json(path)
    _check_schema(facts, ATTESTATION_SCHEMA, path)
    claimed = {key: origin.get(key) for key in ("version", "commit", "tag")}
    for key, value in (claimed | {"folder_md5": hash_folder(folder)}).items():
        if value != facts[key]:
            raise BadInput(f"{folder} has {key} {value}, {path} says {facts[key]}: {remedy}")


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"no model in {path.parent}: {path} is missing; run dvc repro") from error
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(f"{path} cannot be read ({error}): restore it with dvc checkout") from error


def _check_schema(content, schema, path):
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(content)
    )
    if error:
        where = error.json_path.removeprefix("$").removeprefix(".")
        raise BadInput(
            f"{path} is not of its form ({where + ': ' if where else ''}{error.message[:100]}): "
            "restore it with dvc checkout, or fetch the model anew"
        )
