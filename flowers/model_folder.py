"""The model folder: the one place that knows its card, model file, golden photos and origin."""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers.card import CARD, card, read
from flowers.errors import BadInput
from flowers.features.extraction import extract
from flowers.learning import saved
from flowers.photos.decoding import decode, square
from flowers.photos.statistics import statistics
from flowers.tables import whole, write_csv, write_text

GOLDEN, REFERENCE = "golden", "reference.csv"
# Golden answers come from this code on another machine at worst: the last bits may differ.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo.

    Attributes
    ----------
    label : str
        The class of the highest probability.
    probabilities : ndarray of shape (n_classes,), float64
        In the order of the model's classes, sum 1.
    image : dict
        ``width`` and ``height`` of the upright photo, and its `statistics`.
    latency_ms : float
        From the bytes to the probabilities.
    """

    label: str
    probabilities: np.ndarray
    image: dict
    latency_ms: float


@dataclass(frozen=True)
class Model:
    """A model with what is needed to let it answer.

    Attributes
    ----------
    estimator : estimator
    card : dict
        As of ``flowers.card.card``.
    origin : dict
        ``version``, ``tag`` and ``commit`` of a promoted model, empty for a candidate.
    """

    estimator: object
    card: dict
    origin: dict

    @property
    def classes(self):
        """Names of the classes, in the order of the probabilities."""
        return tuple(self.card["classes"])

    @property
    def md5(self):
        """MD5 of the model file."""
        return self.card["model"]["md5"]

    @property
    def version(self):
        """Such as "v1.2.0"; "untagged" for a candidate that no tag names."""
        return self.origin.get("version", "untagged")

    @property
    def used(self):
        """What answers call this model: "production" if a tag names it, else "candidate"."""
        return "production" if self.origin else "candidate"

    def probabilities(self, images):
        """Class probabilities of photos that are decoded already.

        Parameters
        ----------
        images : ndarray of shape (n, size, size, 3), uint8

        Returns
        -------
        ndarray of shape (n, n_classes), float64
        """
        return self.estimator.predict_proba(extract(images, self.card["features"]))

    def answer(self, photo):
        """Answer one photo: the way of HTTP, of the canary, of files and of golden photos.

        Parameters
        ----------
        photo : bytes
            The content of a JPEG, PNG or WEBP file.

        Returns
        -------
        Answer

        Raises
        ------
        Rejected
            If the photo cannot be read.
        """
        start = time.perf_counter()
        image, _ = decode(photo)
        pixels = square(image, self.card["size"])
        probabilities = self.probabilities(pixels[None])[0]
        latency = time.perf_counter() - start
        return Answer(
            label=self.classes[int(probabilities.argmax())],
            probabilities=probabilities,
            image={"width": image.width, "height": image.height} | statistics(pixels),
            latency_ms=round(1000 * latency, 3),
        )


def find(models, named=None):
    """The folder of the model to serve: a promoted one before the candidate.

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


def load(folder):
    """Load a model folder after comparing its bytes with its card.

    Raises
    ------
    BadInput
        If a file is missing, damaged, or not the one of the card.
    """
    folder = Path(folder)
    facts, origin = read(folder)
    verify(folder, facts)
    return Model(saved.load(folder / facts["model"]["file"]), facts, origin)


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
    """The largest difference between golden and present probabilities.

    Parameters
    ----------
    model : Model
    folder : path-like
        Where it was loaded from.

    Returns
    -------
    float
        At most ``TOLERANCE`` where the model answers as it did when it was trained.
    """
    differences = [
        np.abs(
            model.answer(Path(folder, GOLDEN, entry["file"]).read_bytes()).probabilities
            - entry["probabilities"]
        ).max()
        for entry in model.card["golden"]
    ]
    return float(max(differences, default=0.0))


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
    answers = [
        {"file": name, "probabilities": model.answer(photo).probabilities.tolist()}
        for name, photo in golden.items()
    ]
    facts = card(content, estimator, **preparation, golden=answers) | evidence
    with whole(folder) as fresh:
        (fresh / GOLDEN).mkdir(parents=True)
        for name, photo in golden.items():
            (fresh / GOLDEN / name).write_bytes(photo)
        (fresh / facts["model"]["file"]).write_bytes(content)
        write_csv(fresh / REFERENCE, reference, tuple(reference[0]))
        write_text(fresh / CARD, json.dumps(facts, indent=2) + "\n")
    return facts
