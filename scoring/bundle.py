"""A model folder as the promote stage writes it, verified before it answers anything."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers.classify import probabilities
from flowers.errors import BadInput
from flowers.model_files import load as load_model

# Golden answers come from this code on another machine at worst: the last bits may differ.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Bundle:
    """A model with what is needed to ask it.

    Attributes
    ----------
    model : estimator
    classes : tuple of str
    features : tuple of str
    size : int
        Pixels a side.
    md5 : str
        Of the model file.
    version : str
        Such as "v1.2.0"; "untagged" for a candidate that no tag names.
    card : dict
    """

    model: object
    classes: tuple
    features: tuple
    size: int
    md5: str
    version: str
    card: dict

    def answer(self, photo):
        """Class probabilities of the bytes of one photo, shape (n_classes,), float64.

        Raises
        ------
        Rejected
            If the photo cannot be read.
        """
        return probabilities(photo, self.model, self.features, self.size)


def load(folder):
    """Load a model folder after comparing its bytes with its card.

    Parameters
    ----------
    folder : path-like
        ``model.joblib``, ``card.json``, ``golden/`` and, for a tagged model, ``origin.json``.

    Returns
    -------
    Bundle

    Raises
    ------
    BadInput
        If a file is missing or the model is not the one of the card.
    """
    folder = Path(folder)
    try:
        card = json.loads((folder / "card.json").read_text())
        with (folder / card["model"]["file"]).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise BadInput(
            f"no model in {folder}: {error.filename} is missing; run dvc repro"
        ) from error
    if digest != card["model"]["sha256"]:
        raise BadInput(
            f"{folder / card['model']['file']} has sha256 {digest}, its card says "
            f"{card['model']['sha256']}: restore it with dvc checkout, or promote again"
        )
    origin = folder / "origin.json"
    return Bundle(
        model=load_model(folder / card["model"]["file"]),
        classes=tuple(card["classes"]),
        features=tuple(card["features"]),
        size=card["size"],
        md5=card["model"]["md5"],
        version=json.loads(origin.read_text())["version"] if origin.is_file() else "untagged",
        card=card,
    )


def golden_difference(bundle, folder):
    """The largest difference between golden and present probabilities.

    Parameters
    ----------
    bundle : Bundle
    folder : path-like
        Where it was loaded from.

    Returns
    -------
    float
        At most ``TOLERANCE`` where the model answers as it did when it was trained.
    """
    return max(
        float(
            np.abs(
                bundle.answer((Path(folder) / "golden" / entry["file"]).read_bytes())
                - entry["probabilities"]
            ).max()
        )
        for entry in bundle.card["golden"]
    )
