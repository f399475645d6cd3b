"""The model folder: model file, card, golden images, reference set and README."""

import json
import shutil
from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.tables import atomic_write, write_csv, write_text
from flowers.features import codebook as codebooks
from flowers.features.extraction import NEEDS_CODEBOOK
from flowers.learning import persistence
from flowers.model.card import (
    CARD,
    build_card,
    check_attestation,
    get_attestation_path,
    hash_file,
    read_card,
)
from flowers.model.predictor import Predictor
from flowers.model.readme import render_readme
from flowers.model.typicality import choose_threshold, read_typicality

GOLDEN = "golden"
REFERENCE = "reference.csv"
TYPICALITY = "typicality.npz"
# Largest accepted difference of a golden probability: on another machine the last bits may differ.
TOLERANCE = 1e-6


def find_model_folder(models, named=None):
    """Find the model to serve: `named` if given, else ``production``, else ``candidate``.

    BadInput if there is none in the folder `models`, the production folder has no card, or only its
    attestation is left.
    """
    if named is not None:
        return Path(named)
    production = Path(models, "production")
    candidate = Path(models, "candidate")
    if production.is_dir():
        if not (production / CARD).is_file():
            raise BadInput(
                f"{production} has no {CARD}: run python -m scoring.registry fetch to get the "
                f"promoted model, or remove it and {get_attestation_path(production)} to serve the "
                "candidate"
            )
        return production
    attestation = get_attestation_path(production)
    if attestation.exists():
        raise BadInput(
            f"{production} is missing but {attestation} is not: run python -m scoring.registry "
            f"fetch to get the promoted model, or remove {attestation} to serve the candidate"
        )
    if (candidate / CARD).is_file():
        return candidate
    raise BadInput(
        f"no model in {production} or {candidate}: run dvc repro for a candidate, "
        "python -m scoring.registry fetch for the promoted model, or set MODEL_DIR"
    )


def find_reference(folder):
    """Return the path of the reference set of a model folder; it is a BadInput if missing."""
    path = Path(folder, REFERENCE)
    if not path.is_file():
        raise BadInput(
            f"{path} is missing: promote a model of this pipeline and fetch it, or remove {folder}"
        )
    return path


def load_predictor(folder, sha256=None):
    """Load a model folder after its files are compared with its card and its attestation.

    Parameters
    ----------
    folder : path-like
    sha256 : str, optional
        Required digest of the model file.

    Returns
    -------
    Predictor

    Raises
    ------
    BadInput
        If a file is missing, damaged, not the one of the card, or cannot be loaded.

    Examples
    --------
    After ``make repro`` or ``dvc repro promote``:

    >>> from flowers.model import load_predictor
    >>> predictor = load_predictor("models/candidate")
    >>> predictor.role, predictor.version
    ('candidate', 'untagged')
    """
    folder = Path(folder)
    card, provenance = read_card(folder)
    check_attestation(folder, provenance)
    verify_files(folder, card)
    if sha256 is not None and card["model"]["sha256"] != sha256:
        raise BadInput(
            f"the model in {folder} has sha256 {card['model']['sha256']}, MODEL_SHA256={sha256}: "
            "set MODEL_DIR to the folder of that model, or correct MODEL_SHA256"
        )
    estimator = _load_estimator(folder, card)
    codebook = None
    if "codebook" in card:
        codebook = codebooks.read_codebook(folder / card["codebook"]["file"])
    typicality = None
    if "typicality" in card:
        typicality = read_typicality(folder / card["typicality"]["file"])
    return Predictor(estimator, card, provenance, codebook, typicality)


def _load_estimator(folder, card):
    path = folder / card["model"]["file"]
    try:
        estimator = persistence.load_model(path)
        classes = [str(c) for c in estimator.classes_]
    except (Exception, SystemExit) as error:  # unpickling can raise anything
        raise BadInput(
            f"{path} cannot be loaded ({type(error).__name__}: {error}): run dvc repro and promote "
            "again, or roll back"
        ) from error
    if classes != card["classes"]:
        raise BadInput(
            f"{folder / CARD} lists the classes {', '.join(card['classes'])}, the model has "
            f"{', '.join(classes)}: restore it with dvc checkout, or fetch the model again"
        )
    return estimator


def verify_files(folder, card):
    """Raise BadInput if a file that a prediction needs differs from its digests in the card."""
    for name in ("model", "codebook", "typicality"):
        entry = card.get(name, {})
        for algorithm in [key for key in ("md5", "sha256") if key in entry]:
            path = Path(folder, entry["file"])
            try:
                digest = hash_file(path, algorithm)
            except OSError as error:
                raise BadInput(f"no model in {folder}: {path} cannot be read ({error})") from error
            if digest != entry[algorithm]:
                raise BadInput(
                    f"{path} has {algorithm} {digest}, its card has {entry[algorithm]}: restore it "
                    "with dvc checkout, or promote again"
                )


def measure_golden_difference(predictor, folder):
    """Return the largest difference of a golden probability or typicality from that in the card.

    It is at most ``TOLERANCE`` if the model works as when it was trained, and infinite if a
    label differs.
    """
    largest = 0.0
    for entry in predictor.card["golden"]:
        sample = predictor.load(Path(folder, GOLDEN, entry["file"]).read_bytes())
        (prediction,) = predictor.predict([sample])
        if prediction.label != entry.get("label", prediction.label):
            return float("inf")
        difference = np.abs(prediction.probabilities - entry["probabilities"]).max()
        if predictor.typicality:
            difference = max(difference, abs(prediction.typicality - entry["typicality"]))
        largest = max(largest, float(difference))
    return largest


def check_golden_predictions(predictor, folder):
    """Compare the predictions for the golden images with those of the card.

    Parameters
    ----------
    predictor : Predictor
    folder : path-like
        Where it was loaded from.

    Raises
    ------
    BadInput
        If an image cannot be classified, or a prediction differs by more than `TOLERANCE`.
    """
    try:
        difference = measure_golden_difference(predictor, folder)
    except Exception as error:  # a model may raise anything
        raise BadInput(
            f"{folder}: the golden images cannot be classified ({type(error).__name__}: {error}): "
            "run dvc repro and promote again, or roll back"
        ) from error
    if not difference <= TOLERANCE:  # NaN is not below it either
        raise BadInput(
            f"{folder}: golden predictions differ by {difference:.3g}, more than {TOLERANCE:g}: "
            "install the library versions of its card, or promote again"
        )


def write_model_folder(folder, file, preprocessing, golden, reference, run_summary):
    """Write a model folder atomically and return its card.

    Parameters
    ----------
    folder : path-like
        Replaced if it exists.
    file : path-like
        The estimator, from ``flowers.learning.persistence``.
    preprocessing : dict
        ``features``, ``size``; for learned features, the path ``codebook``; optionally a
        ``flowers.model.typicality.Typicality``, for which the reference rows have ``typicality``.
    golden : dict of file name to bytes
        Golden images.
    reference : list of dict
        Rows of the reference set.
    run_summary : dict
        Further keys of the card, which `flowers.model.readme.render_readme` shows.
    """
    estimator = persistence.load_model(file, mapped=True)
    features = preprocessing["features"]
    path = preprocessing.get("codebook") if NEEDS_CODEBOOK & set(features) else None
    codebook = codebooks.read_codebook(path) if path else None
    typicality = preprocessing.get("typicality")
    preprocessing = {"features": features, "size": preprocessing["size"]}
    classes = [str(c) for c in estimator.classes_]
    predictor = Predictor(estimator, {"classes": classes} | preprocessing, {}, codebook, typicality)
    entries = []
    for name, data in golden.items():
        (prediction,) = predictor.predict([predictor.load(data)])
        entry = {"file": name, "label": prediction.label}
        entry["probabilities"] = prediction.probabilities.tolist()
        entries.append(entry | ({"typicality": prediction.typicality} if typicality else {}))
    card = build_card(file, estimator, **preprocessing, golden=entries) | run_summary
    if path:
        card["codebook"] = {"file": Path(path).name, "sha256": hash_file(path, "sha256")}
    with atomic_write(folder) as partial:
        (partial / GOLDEN).mkdir(parents=True)
        for name, data in golden.items():
            (partial / GOLDEN / name).write_bytes(data)
        shutil.copyfile(file, partial / card["model"]["file"])
        if path:
            shutil.copy(path, partial / Path(path).name)
        if typicality:
            typicality.write_file(partial / TYPICALITY)
            digest = hash_file(partial / TYPICALITY, "sha256")
            threshold = choose_threshold([float(row["typicality"]) for row in reference])
            card["typicality"] = {"file": TYPICALITY, "sha256": digest, "threshold": threshold}
        write_csv(partial / REFERENCE, reference)
        write_text(partial / CARD, json.dumps(card, indent=2) + "\n")
        write_text(partial / "README.md", render_readme(card))
    return card
