"""Photos to ask a scorer about, with their labels: held-out ones, those of a folder, drawn ones."""

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from flowers.base.errors import BadInput, RejectedImage
from flowers.base.tables import read_csv
from flowers.images.decoding import decode_image
from flowers.model import folder as model_folder
from flowers.synthetic.picture import SPECIES, draw_photo
from scoring.predict import list_files

PHOTOS, INDEX, SPLIT = Path("data/photos"), Path("data/index.csv"), Path("data/split.csv")
NARROWED = 0.04  # of a side, at most, so that a photo sent again is a photo of its own


def drawn(weights, count, rng):
    """Photos like those of ``fetch.source: drawn``, from other seeds.

    Parameters
    ----------
    weights : callable
        From the number of classes to how often each comes, sum 1.
    count : int
    rng : numpy.random.Generator

    Yields
    ------
    label : str
    photo : bytes
    """
    for species in rng.choice(SPECIES, count, p=weights(len(SPECIES))):
        buffer = io.BytesIO()
        draw_photo(species, rng).save(buffer, "JPEG", quality=int(rng.integers(60, 96)))
        yield str(species), buffer.getvalue()


def of_folder(folder, weights, count, rng):
    """Photos of a folder with one folder per class; else as `drawn`.

    Raises
    ------
    BadInput
        If there are not two classes at least.
    """
    classes = {}
    for path in list_files([folder]):
        classes.setdefault(path.parent.name, []).append(path)
    if len(classes) < 2:
        raise BadInput(
            f"{folder} has photos of {sorted(classes)}: give one folder per class, two at least"
        )
    yield from _in_turn(classes, weights, count, rng)


def held_out(folder, weights, count, rng):
    """Photos that the run of a model kept from its training, one of each group; else as `drawn`.

    Parameters
    ----------
    folder : Path
        Of the model; its reference names them.

    Raises
    ------
    BadInput
        If they are not in ``data/photos``.
    """
    rows = read_csv(model_folder.find_reference(folder))
    if "path" not in rows:
        raise BadInput(
            f"{folder} does not name its held-out photos: dvc repro promote writes one that "
            "does, or give --photos"
        )
    classes = {}
    for i in np.unique(rows["group"], return_index=True)[1]:
        classes.setdefault(str(rows["label"][i]), []).append(PHOTOS / rows["path"][i])
        _check(classes[str(rows["label"][i])][-1], rows["sha256"][i])
    yield from _in_turn(classes, weights, count, rng)


def _check(path, digest):
    if not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest:
        raise BadInput(
            f"{path} is not the photo that the model was tested on: dvc checkout data/photos of "
            "its commit, or give --photos"
        )


def _in_turn(classes, weights, count, rng):
    """Photos of classes of a drawn mix: each as it is once, and then with a little cut off."""
    labels, waiting = sorted(classes), {}
    again = set()
    for label in rng.choice(labels, count, p=weights(len(labels))):
        if not waiting.get(label):
            again |= {label} if label in waiting else set()
            waiting[label] = rng.permutation(len(classes[label])).tolist()
        photo = classes[label][waiting[label].pop()].read_bytes()
        yield str(label), narrowed(photo, rng) if label in again else photo


def narrowed(photo, rng):
    """Cut a little off each side; a photo that cannot be read stays as it is.

    Parameters
    ----------
    photo : bytes
    rng : numpy.random.Generator

    Returns
    -------
    bytes
        A JPEG.
    """
    try:
        image, _ = decode_image(photo)
    except RejectedImage:
        return photo
    left, top, right, bottom = rng.random(4) * NARROWED / 2
    width, height = image.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    buffer = io.BytesIO()
    image.resize(image.size, Image.Resampling.BICUBIC, box).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def used_to_train(folder):
    """How many photos of a folder the run in this workspace has learnt from, and of how many.

    Returns
    -------
    used, photos : int
    """
    paths = list_files([folder])
    if not (INDEX.is_file() and SPLIT.is_file()):
        return 0, len(paths)
    index, split = read_csv(INDEX), read_csv(SPLIT)
    known = dict(zip(index["row"], index["sha256"], strict=True))
    learnt = {
        known.get(row)
        for row, part in zip(split["row"], split["part"], strict=True)
        if part == "train"
    }
    return sum(sha256(path.read_bytes()).hexdigest() in learnt for path in paths), len(paths)
