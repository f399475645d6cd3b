"""A whole set of synthetic images as named files, with the faults of real collections."""

import io
from collections import defaultdict
from itertools import chain

import joblib
import numpy as np
from PIL import ImageEnhance, ImageOps

from flowers.base.errors import BadInput
from flowers.synthetic.malformed import MALFORMED_FILES
from flowers.synthetic.picture import SPECIES, draw_photo

FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}  # by suffix
FORMAT_SHARES = (0.94, 0.03, 0.03)
# Last part of a picture's seed key: the use of the random numbers.
_DRAWING, _FILING, _PLANNING, _MALFORMED = range(4)


def generate_images(per_class=200, near_duplicate_share=0.25, wrong_labels=4, seed=0, n_jobs=-1):
    """Generate a set of images, file by file, in a fixed order.

    The same `per_class`, `near_duplicate_share`, `wrong_labels` and `seed` give the same bytes,
    with any `n_jobs`. A near-duplicate shows the same picture as another numbered
    file: saved at another quality, resized, mirrored, cropped by at most 2 % a side or slightly
    brighter or darker; it follows the other file, because a picture is drawn once. The files of
    `flowers.synthetic.malformed.MALFORMED_FILES` come last, in addition to `per_class`.

    Parameters
    ----------
    per_class : int, default 200
        Numbered files of each species, near-duplicates included; 2 to 99999.
    near_duplicate_share : float, default 0.25
        Share of them that are near-duplicates, rounded down to whole files; 0 to 0.5.
    wrong_labels : int, default 4
        Near-duplicates in the folder of another species, taken from the species in turn; 0 to
        the number of near-duplicates.
    seed : int, default 0
        At least 0.
    n_jobs : int, default -1
        Processes, as in `joblib.Parallel`.

    Yields
    ------
    name : str
        Relative name with "/" as separator, such as "Tulip/0007.jpg".
    content : bytes
        The content of the file.

    Raises
    ------
    BadInput
        If an argument is out of range; at the call, not at the first file.
    """
    _require("per_class", per_class, 2, 99_999)
    _require("near_duplicate_share", near_duplicate_share, 0, 0.5)
    copies = len(SPECIES) * int(per_class * near_duplicate_share)
    _require("wrong_labels", wrong_labels, 0, copies)
    _require("seed", seed, 0, 2**32 - 1)
    files = defaultdict(list)
    for species, number, *source in _plan(per_class, near_duplicate_share, wrong_labels, seed):
        files[tuple(source)].append((species, number))
    jobs = [joblib.delayed(_make_files)(seed, *source, names) for source, names in files.items()]
    jobs += [joblib.delayed(_make_malformed)(seed, name) for name in MALFORMED_FILES]
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return chain.from_iterable(results)


def _require(name, value, low, high):
    if not low <= value <= high:
        raise BadInput(f"{name} is {value!r}: choose a number from {low} to {high}")


def _make_rng(seed, *key):
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _plan(per_class, near_duplicate_share, wrong_labels, seed):
    """Yield species index and number of each file and of the picture that it shows."""
    rngs = [_make_rng(seed, k, 0, _PLANNING) for k in range(len(SPECIES))]
    orders = [rng.permutation(per_class) for rng in rngs]
    copies = int(per_class * near_duplicate_share)
    for k, (rng, order) in enumerate(zip(rngs, orders, strict=True)):
        pictures = {int(number): (k, int(number)) for number in order}
        misfiled = len(range(k, wrong_labels, len(SPECIES)))
        for place, number in enumerate(order[:copies]):
            other = k
            if place < misfiled:
                other = (k + int(rng.integers(1, len(SPECIES)))) % len(SPECIES)
            pictures[int(number)] = (other, int(rng.choice(orders[other][copies:])))
        for number in range(per_class):
            yield k, number, *pictures[number]


def _make_files(seed, species, number, files):
    """Names and contents of the numbered files that show one picture."""
    picture = draw_photo(SPECIES[species], _make_rng(seed, species, number, _DRAWING))
    return [_make_file(seed, picture, *file, is_copy=file != (species, number)) for file in files]


def _make_file(seed, picture, species, number, *, is_copy):
    """Name and content of one numbered file."""
    rng = _make_rng(seed, species, number, _FILING)
    if is_copy:
        picture = _alter_copy(picture, rng)
    suffix = str(rng.choice(list(FORMATS), p=FORMAT_SHARES))
    stream = io.BytesIO()
    picture.save(stream, FORMATS[suffix], quality=int(rng.integers(60, 96)))  # not used by PNG
    return f"{SPECIES[species]}/{number:04d}.{suffix}", stream.getvalue()


def _alter_copy(picture, rng):
    """Apply one of the small changes that images undergo when they are copied on the web."""
    width, height = picture.size
    change = rng.choice(["quality", "size", "mirror", "crop", "brightness"])
    if change == "size":
        factor = rng.uniform(0.6, 1.4)
        return picture.resize((round(factor * width), round(factor * height)))
    if change == "mirror":
        return ImageOps.mirror(picture)
    if change == "crop":
        left, top, right, bottom = rng.uniform(0, 0.02, 4) * (width, height, width, height)
        return picture.crop((int(left), int(top), width - int(right), height - int(bottom)))
    if change == "brightness":
        return ImageEnhance.Brightness(picture).enhance(rng.uniform(0.9, 1.1))
    return picture


def _make_malformed(seed, name):
    """Generate one file of `MALFORMED_FILES` from its own picture: a list of (name, content)."""
    species = SPECIES.index(name.split("/")[0])
    rng = _make_rng(seed, species, list(MALFORMED_FILES).index(name), _MALFORMED)
    return [(name, MALFORMED_FILES[name](draw_photo(SPECIES[species], rng)))]
