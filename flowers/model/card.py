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

CARD, ORIGIN = "card.json", "provenance.json"
# Goes up when folders of before can no longer be read: 2 came with estimators in rooms, 3 with
# machines that are linear in the features.
FORM = 3
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
_TEXT = {"type": "string", "minLength": 1}
ORIGIN_SCHEMA = _object(version=_TEXT)
DIGEST_SCHEMA = _object(version=_TEXT, commit=_TEXT, tag=_TEXT, folder=_TEXT)


def card(file, estimator, features, size, golden):
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
        "form": FORM,
        "classes": [str(c) for c in estimator.classes_],
        "features": list(features),
        "size": size,
        "model": {
            "file": "model.joblib",
            "estimator": type(estimator).__name__,
            "params": estimator.get_params(),
            "bytes": Path(file).stat().st_size,
            "md5": digest(file, "md5"),
            "sha256": digest(file, "sha256"),
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


def digest(file, kind):
    """Give the "md5" or "sha256" of a file, which need not fit into memory."""
    with Path(file).open("rb") as opened:
        found = hashlib.file_digest(opened, partial(hashlib.new, kind, usedforsecurity=False))
    return found.hexdigest()


def digest_file(folder):
    """Name the file that vouches for a model folder: beside it, not in it."""
    folder = Path(folder)
    return folder.with_name(f"{folder.name}.attestation.json")


def folder_md5(folder):
    """Give the MD5 that DVC gives a folder: of the JSON list of its files, provenance.json left out.

    Returns
    -------
    str
    """
    files = {
        path.relative_to(folder).as_posix(): digest(path, "md5")
        for path in Path(folder).rglob("*")
        if path.is_file() and path.name != ORIGIN
    }
    # As in dvc_data.hashfile.tree.Tree, whose order is by path.
    listing = json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def vouch(folder, origin, md5):
    """Write beside a model folder what its tag says of it.

    Parameters
    ----------
    folder : path-like
    origin : dict
        ``version``, ``commit`` and ``tag``, the same as in its provenance.json.
    md5 : str
        What dvc.lock says of the folder at that commit, as `folder_md5` gives it.
    """
    facts = {key: origin[key] for key in ("version", "commit", "tag")} | {"folder": md5}
    write_text(digest_file(folder), json.dumps(facts, indent=2) + "\n")


def check_digest(folder, origin):
    """Compare a folder with the digest beside it, if it is promoted, before anything is loaded.

    Raises
    ------
    BadInput
        If the folder claims to be a version that no digest vouches for, or has other bytes.
    """
    path, remedy = digest_file(folder), "python -m scoring.registry fetch brings the tagged model"
    if not path.exists():
        if origin:
            raise BadInput(
                f"{Path(folder, ORIGIN)} says {origin['version']}, and there is no {path} that "
                f"vouches for it: {remedy}"
            )
        return
    facts = _json(path)
    _check(facts, DIGEST_SCHEMA, path)
    claimed = {key: origin.get(key) for key in ("version", "commit", "tag")}
    for key, value in (claimed | {"folder": folder_md5(folder)}).items():
        if value != facts[key]:
            raise BadInput(f"{folder} has {key} {value}, {path} says {facts[key]}: {remedy}")


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
