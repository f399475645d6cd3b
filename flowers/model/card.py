"""The model card (card.json), the provenance of a promoted model and its attestation."""

import hashlib
import json
import os
from functools import partial
from pathlib import Path

import jsonschema

from flowers.base.determinism import read_library_versions, read_numerics
from flowers.base.errors import BadInput
from flowers.base.tables import read_json, write_text

CARD = "card.json"
PROVENANCE = "provenance.json"
# Raised when older folders cannot be read any more: 2 moved the estimators, 3 stored linear
# classifiers as weight vectors, 4 renamed keys and packages.
SCHEMA_VERSION = 4

_DIGEST = {"type": "string", "pattern": "^[0-9a-f]+$"}
_NAME = {"type": "string", "pattern": r"^[^/\\\0]+$", "not": {"enum": [".", ".."]}}
_NAMES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}}
_PROBABILITIES = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}}
_TEXT = {"type": "string", "minLength": 1}


def _require_keys(**properties):
    """Build the JSON schema of an object that has all of `properties`."""
    return {"type": "object", "required": list(properties), "properties": properties}


CARD_SCHEMA = _require_keys(
    schema_version={"const": SCHEMA_VERSION},
    classes=_NAMES | {"minItems": 2},
    features=_NAMES,
    size={"type": "integer", "minimum": 16},
    model=_require_keys(file=_NAME, md5=_DIGEST, sha256=_DIGEST),
    versions={"type": "object"},
    golden={
        "type": "array",
        "minItems": 1,
        "items": _require_keys(file=_NAME, probabilities=_PROBABILITIES),
    },
)
# Optional: cards of version 4.0.0 have no study.
CARD_SCHEMA["properties"]["study"] = _require_keys(name=_TEXT, title=_TEXT, noun=_TEXT)
# Optional: only models with learned features have a codebook.
CARD_SCHEMA["properties"]["codebook"] = _require_keys(file=_NAME, sha256=_DIGEST)
# Optional: models of earlier versions have no typicality.
CARD_SCHEMA["properties"]["typicality"] = _require_keys(
    file=_NAME, sha256=_DIGEST, threshold={"type": "number"}
)
PROVENANCE_SCHEMA = _require_keys(version=_TEXT)
ATTESTATION_SCHEMA = _require_keys(version=_TEXT, commit=_TEXT, tag=_TEXT, folder_md5=_TEXT)


def build_card(file, estimator, features, size, golden):
    """Build the part of the card that a scorer needs to load and check a model.

    Parameters
    ----------
    file : path-like
        The model file, which holds `estimator`.
    estimator : classifier
    features : list of str
        Keys of ``flowers.features.extraction.EXTRACTORS``.
    size : int
        Side of the resized images in pixels.
    golden : list of dict
        ``file``, ``label`` and ``probabilities`` of each golden image.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "classes": [str(c) for c in estimator.classes_],
        "features": list(features),
        "size": size,
        "model": {
            "file": "model.joblib",
            "estimator": type(estimator).__name__,
            "params": _to_json(estimator.get_params(deep=False)),
            "bytes": Path(file).stat().st_size,
            "md5": hash_file(file, "md5"),
            "sha256": hash_file(file, "sha256"),
        },
        "versions": read_library_versions(),
        "numerics": read_numerics(),
        "golden": golden,
    }


def _to_json(values):
    """Replace what JSON has not, such as a classifier, by its representation in one line."""
    return json.loads(json.dumps(values, default=lambda value: " ".join(repr(value).split())))


def check_library_versions(folder, card):
    """Compare the library versions of a card with the installed ones; BadInput if one differs."""
    installed = read_library_versions()
    differences = [
        f"{name} {number} (installed: {installed[name]})"
        for name, number in card["versions"].items()
        if installed.get(name, number) != number
    ]
    if differences:
        raise BadInput(
            f"{folder} was written with {', '.join(differences)}: install these versions, or run "
            "dvc repro and promote again"
        )


def read_card(folder):
    """Read and validate the card and the provenance of a model folder.

    Returns
    -------
    card, provenance : dict
        The provenance (``version``, ``tag``, ``commit``) is empty for a candidate.

    Raises
    ------
    BadInput
        If a file is missing or invalid, or the schema version is not supported.
    """
    folder = Path(folder)
    path = folder / CARD
    card = _read_json(path)
    if isinstance(card, dict) and "model" in card:
        # Up to version 3.4.0 the key was "form".
        number = card.get("schema_version", card.get("form", 1))
        if number != SCHEMA_VERSION:
            raise BadInput(
                f"{path} has schema version {number}, supported is {SCHEMA_VERSION}: run dvc repro "
                "and promote again, or serve the model with the code of its commit"
            )
        if card.get("golden") == []:
            raise BadInput(f"{path} has no golden images: run dvc repro and promote again")
    _validate(card, CARD_SCHEMA, path)
    provenance = {}
    if (folder / PROVENANCE).exists():
        provenance = _read_json(folder / PROVENANCE)
        _validate(provenance, PROVENANCE_SCHEMA, folder / PROVENANCE)
    return card, provenance


def hash_file(path, algorithm):
    """Compute the "md5" or "sha256" of a file in chunks, as hexadecimal text."""
    with Path(path).open("rb") as file:
        digest = hashlib.file_digest(file, partial(hashlib.new, algorithm, usedforsecurity=False))
    return digest.hexdigest()


def get_attestation_path(folder):
    """Return the path of the attestation of a model folder: beside it, not in it."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # such as "."
        folder = Path(os.path.abspath(folder))
    return folder.parent / f"{folder.name}.attestation.json"


def hash_folder(folder):
    """Compute the MD5 of a model folder as in dvc.lock, provenance.json left out."""
    digests = {
        path.relative_to(folder).as_posix(): hash_file(path, "md5")
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != PROVENANCE
    }
    # The format of dvc_data.hashfile.tree.Tree, sorted by path.
    listing = json.dumps([{"md5": digests[name], "relpath": name} for name in sorted(digests)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def write_attestation(folder, provenance, md5):
    """Write the attestation of a promoted folder; `md5` is that of the folder in dvc.lock."""
    content = {key: provenance[key] for key in ("version", "commit", "tag")} | {"folder_md5": md5}
    write_text(get_attestation_path(folder), json.dumps(content, indent=2) + "\n")


def check_attestation(folder, provenance):
    """Compare a promoted folder with its attestation, before anything is loaded.

    Raises
    ------
    BadInput
        If the folder has a provenance without an attestation, or differs from its attestation.
    """
    path = get_attestation_path(folder)
    remedy = "run python -m scoring.registry fetch to get the tagged model"
    if not path.exists():
        if provenance:
            raise BadInput(
                f"{Path(folder, PROVENANCE)} claims version {provenance['version']} but {path} is "
                f"missing: {remedy}"
            )
        return
    attestation = _read_json(path)
    _validate(attestation, ATTESTATION_SCHEMA, path)
    actual = {key: provenance.get(key) for key in ("version", "commit", "tag")}
    actual["folder_md5"] = hash_folder(folder)
    for key, value in actual.items():
        if value != attestation[key]:
            raise BadInput(f"{folder} has {key} {value}, {path} has {attestation[key]}: {remedy}")


def _read_json(path):
    try:
        return read_json(path)
    except FileNotFoundError as error:
        missing = f"{path} is missing; " if path.parent.is_dir() else ""
        raise BadInput(f"no model in {path.parent}: {missing}check the path") from error
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(f"{path} cannot be read ({error}): restore it with dvc checkout") from error


def _validate(content, schema, path):
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(content)
    )
    if error:
        key = error.json_path.removeprefix("$").removeprefix(".")
        raise BadInput(
            f"{path} is invalid ({key + ': ' if key else ''}{error.message[:100]}): "
            "restore it with dvc checkout, or fetch the model again"
        )
