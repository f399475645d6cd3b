"""A model folder as the promote stage writes it, verified before it answers anything."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flowers import classify
from flowers.errors import BadInput
from flowers.model_files import load as load_model
from flowers.photos.decoding import decode, square

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
    origin : dict
        ``tag`` and ``commit`` of a promoted model, empty for a candidate.
    """

    model: object
    classes: tuple
    features: tuple
    size: int
    md5: str
    version: str
    card: dict
    origin: dict

    @property
    def used(self):
        """What answers call this model: "production" if a tag names it, else "candidate"."""
        return "production" if self.origin else "candidate"

    def read(self, photo):
        """Pixels that the model looks at, from the bytes of a photo.

        Returns
        -------
        pixels : ndarray of shape (size, size, 3), uint8
        original : (int, int)
            Width and height of the upright photo.

        Raises
        ------
        Rejected
            If the photo cannot be read.
        """
        image, _ = decode(photo)
        return square(image, self.size), image.size

    def ask(self, pixels):
        """Class probabilities of one photo, shape (n_classes,), float64."""
        return classify.ask(pixels, self.model, self.features)

    def answer(self, photo):
        """Class probabilities of the bytes of one photo: `read`, then `ask`."""
        pixels, _ = self.read(photo)
        return self.ask(pixels)


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
    except (ValueError, KeyError) as error:
        raise BadInput(
            f"{folder / 'card.json'} is no card ({error}): restore it with dvc checkout"
        ) from error
    if digest != card["model"]["sha256"]:
        raise BadInput(
            f"{folder / card['model']['file']} has sha256 {digest}, its card says "
            f"{card['model']['sha256']}: restore it with dvc checkout, or promote again"
        )
    origin = folder / "origin.json"
    origin = json.loads(origin.read_text()) if origin.is_file() else {}
    return Bundle(
        model=load_model(folder / card["model"]["file"]),
        classes=tuple(card["classes"]),
        features=tuple(card["features"]),
        size=card["size"],
        md5=card["model"]["md5"],
        version=origin.get("version", "untagged"),
        card=card,
        origin=origin,
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
