"""The model folder: the one place that knows its card, model file, golden photos and origin."""

import hashlib
import json
from pathlib import Path

import numpy as np

from flowers.card import CARD, card, check_digest, read
from flowers.errors import BadInput
from flowers.learning import saved
from flowers.model import Model
from flowers.tables import whole, write_csv, write_text

GOLDEN, REFERENCE = "golden", "reference.csv"
# Golden answers come from this code on another machine at worst: the last bits may differ.
TOLERANCE = 1e-6


def find(models, named=None):
    """Give the folder of the model to serve: a promoted one before the candidate.

    Parameters
    ----------
    models : path-like
        Holds ``production`` and ``candidate``.
    named : path-like, optional
        Taken as it is, without falling back to another model.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    BadInput
        If there is no model, or a production folder that is none.
    """
    if named is not None:
        return Path(named)
    production, candidate = Path(models, "production"), Path(models, "candidate")
    if production.is_dir():
        if not (production / CARD).is_file():
            raise BadInput(
                f"{production} has no {CARD}: python -m scoring.registry fetch brings the promoted "
                "model; remove the folder to serve the candidate"
            )
        return production
    if (candidate / CARD).is_file():
        return candidate
    raise BadInput(
        f"no model in {production} or {candidate}: run dvc repro for a candidate, "
        "python -m scoring.registry fetch for the promoted one, or set MODEL_DIR"
    )


def reference(folder):
    """Name the file of a model's answers on held-out photos.

    Raises
    ------
    BadInput
        If the folder has none.
    """
    path = Path(folder, REFERENCE)
    if not path.is_file():
        raise BadInput(
            f"{path} is missing: promote a model of this pipeline and fetch it, or remove {folder}"
        )
    return path


def load(folder, sha256=None):
    """Load a model folder after comparing its bytes with its card, and with its digest.

    Parameters
    ----------
    folder : path-like
    sha256 : str, optional
        The model file must have it, whatever the card says.

    Raises
    ------
    BadInput
        If a file is missing, damaged, not the one of the card, or cannot be loaded.
    """
    folder = Path(folder)
    facts, origin = read(folder)
    check_digest(folder, origin)
    verify(folder, facts)
    if sha256 is not None and facts["model"]["sha256"] != sha256:
        raise BadInput(
            f"the model in {folder} has sha256 {facts['model']['sha256']}, MODEL_SHA256={sha256}: "
            "name the folder of that model in MODEL_DIR, or correct the variable"
        )
    path = folder / facts["model"]["file"]
    try:
        estimator = saved.load(path)
        classes = [str(c) for c in estimator.classes_]
    except (Exception, SystemExit) as error:  # there is no list of what a file may raise
        raise BadInput(
            f"{path} cannot be loaded ({type(error).__name__}: {error}): run dvc repro and promote "
            "anew, or roll back"
        ) from error
    if classes != facts["classes"]:
        raise BadInput(
            f"{folder / CARD} names the classes {', '.join(facts['classes'])}, the model knows "
            f"{', '.join(classes)}: restore it with dvc checkout, or fetch the model anew"
        )
    return Model(estimator, facts, origin)


def verify(folder, card):
    """Compare the model file with the digests of its card.

    Raises
    ------
    BadInput
        If it is missing or has other bytes.
    """
    path = Path(folder, card["model"]["file"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"no model in {folder}: {path} cannot be read ({error})") from error
    for kind in ("md5", "sha256"):
        found = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
        if found != card["model"][kind]:
            raise BadInput(
                f"{path} has {kind} {found}, its card says {card['model'][kind]}: restore it "
                "with dvc checkout, or promote again"
            )


def golden_difference(model, folder):
    """Give the largest difference between golden and present probabilities.

    Parameters
    ----------
    model : Model
    folder : path-like
        Where it was loaded from.

    Returns
    -------
    float
        At most ``TOLERANCE`` where the model answers as it did when it was trained; infinite if a
        label differs.
    """
    largest = 0.0
    for entry in model.card["golden"]:
        answer = model.answer(Path(folder, GOLDEN, entry["file"]).read_bytes())
        if answer.label != entry.get("label", answer.label):
            return float("inf")
        difference = np.abs(answer.probabilities - entry["probabilities"]).max()
        largest = max(largest, float(difference))
    return largest


def write(folder, file, preparation, golden, reference, evidence):
    """Write a model folder, whole or not at all.

    Parameters
    ----------
    folder : path-like
        Replaced if it is there.
    file : path-like
        The estimator, from ``flowers.learning.saved``.
    preparation : dict
        ``features`` and ``size``: how a photo becomes a row.
    golden : dict of file name to bytes
        Photos whose answers are kept.
    reference : list of dict
        Rows of the answers on held-out photos.
    evidence : dict
        What the card holds besides: how good the model is, and why it was chosen.

    Returns
    -------
    dict
        The card.
    """
    content, estimator = Path(file).read_bytes(), saved.load(file)
    model = Model(estimator, {"classes": [str(c) for c in estimator.classes_]} | preparation, {})
    answers = []
    for name, photo in golden.items():
        answer = model.answer(photo)
        probabilities = answer.probabilities.tolist()
        answers.append({"file": name, "label": answer.label, "probabilities": probabilities})
    facts = card(content, estimator, **preparation, golden=answers) | evidence
    with whole(folder) as fresh:
        (fresh / GOLDEN).mkdir(parents=True)
        for name, photo in golden.items():
            (fresh / GOLDEN / name).write_bytes(photo)
        (fresh / facts["model"]["file"]).write_bytes(content)
        write_csv(fresh / REFERENCE, reference)
        write_text(fresh / CARD, json.dumps(facts, indent=2) + "\n")
    return facts
