"""The model folder: the one place that knows its card, model file, golden photos and origin."""

import json
import shutil
from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import atomic_write, write_csv, write_text
from flowers.features import codebook as codebooks
from flowers.features.extraction import NEEDS_CODEBOOK
from flowers.learning import persistence
from flowers.model.card import CARD, build_card, check_attestation, hash_file, read_card
from flowers.model.predictor import Predictor
from flowers.model.readme import render_readme

GOLDEN, REFERENCE, README = "golden", "reference.csv", "README.md"
# Golden answers come from this code on another machine at worst: the last bits may differ.
TOLERANCE = 1e-6


def find_model_folder(models, named=None):
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


def find_reference(folder):
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


def load_predictor(folder, sha256=None):
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
    facts, origin = read_card(folder)
    check_attestation(folder, origin)
    verify_files(folder, facts)
    if sha256 is not None and facts["model"]["sha256"] != sha256:
        raise BadInput(
            f"the model in {folder} has sha256 {facts['model']['sha256']}, MODEL_SHA256={sha256}: "
            "name the folder of that model in MODEL_DIR, or correct the variable"
        )
    path = folder / facts["model"]["file"]
    try:
        estimator = persistence.load_model(path)
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
    codebook = None
    if "codebook" in facts:
        codebook = codebooks.read_codebook(folder / facts["codebook"]["file"])
    return Predictor(estimator, facts, origin, codebook)


def verify_files(folder, card):
    """Compare the files of a model with the digests of its card.

    Raises
    ------
    BadInput
        If one is missing or has other bytes.
    """
    for name in ("model", "codebook"):
        if name not in card:
            continue
        path = Path(folder, card[name]["file"])
        for kind in [k for k in ("md5", "sha256") if k in card[name]]:
            try:
                found = hash_file(path, kind)
            except OSError as error:
                raise BadInput(f"no model in {folder}: {path} cannot be read ({error})") from error
            if found != card[name][kind]:
                raise BadInput(
                    f"{path} has {kind} {found}, its card says {card[name][kind]}: restore it "
                    "with dvc checkout, or promote again"
                )


def measure_golden_difference(model, folder):
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
        sample = model.load(Path(folder, GOLDEN, entry["file"]).read_bytes())
        (prediction,) = model.predict([sample])
        if prediction.label != entry.get("label", prediction.label):
            return float("inf")
        difference = np.abs(prediction.probabilities - entry["probabilities"]).max()
        largest = max(largest, float(difference))
    return largest


def write_model_folder(folder, file, preparation, golden, reference, evidence):
    """Write a model folder, whole or not at all.

    Parameters
    ----------
    folder : path-like
        Replaced if it is there.
    file : path-like
        The estimator, from ``flowers.learning.persistence``.
    preparation : dict
        How a photo becomes a row: ``features``, ``size``, and where a feature learns the path
        ``codebook``.
    golden : dict of file name to bytes
        Photos whose answers are kept.
    reference : list of dict
        Rows of the answers on held-out photos.
    evidence : dict
        What the card holds besides, for `flowers.model.readme.render_readme`: how good the model is, and
        why it was chosen.

    Returns
    -------
    dict
        The card.
    """
    estimator = persistence.load_model(file, mapped=True)
    preparation = dict(preparation)
    path = preparation.pop("codebook", None)
    learnt = Path(path) if NEEDS_CODEBOOK & set(preparation["features"]) else None
    classes = {"classes": [str(c) for c in estimator.classes_]}
    model = Predictor(estimator, classes | preparation, {}, learnt and codebooks.read_codebook(learnt))
    answers = []
    for name, photo in golden.items():
        (prediction,) = model.predict([model.load(photo)])
        probabilities = prediction.probabilities.tolist()
        answers.append({"file": name, "label": prediction.label, "probabilities": probabilities})
    facts = build_card(file, estimator, **preparation, golden=answers) | evidence
    if learnt:
        facts["codebook"] = {
            "file": learnt.name,
            "sha256": hash_file(learnt, "sha256"),
        }
    with atomic_write(folder) as fresh:
        (fresh / GOLDEN).mkdir(parents=True)
        for name, photo in golden.items():
            (fresh / GOLDEN / name).write_bytes(photo)
        shutil.copyfile(file, fresh / facts["model"]["file"])
        if learnt:
            shutil.copy(learnt, fresh / learnt.name)
        write_csv(fresh / REFERENCE, reference)
        write_text(fresh / CARD, json.dumps(facts, indent=2) + "\n")
        write_text(fresh / README, render_readme(facts))
    return facts
