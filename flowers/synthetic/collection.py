"""A whole drawn photo set as named files, with the faults that real collections have."""

import io
from collections import defaultdict
from itertools import chain

import joblib
import numpy as np
from PIL import ImageEnhance, ImageOps

from flowers.base.errors import BadInput
from flowers.synthetic.malformed import MALFORMED_FILES
from flowers.synthetic.picture import SPECIES, draw_photo

BACKENDS = ("loky", "multiprocessing", "threading", "sequential")
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}  # by suffix
FORMAT_SHARES = (0.94, 0.03, 0.03)
# last part of a picture's seed key: what the random numbers are for
_DRAWING, _FILING, _PLANNING, _HAZARD = range(4)


def generate_images(
    per_class=200,
    near_duplicate_share=0.25,
    wrong_labels=4,
    seed=0,
    n_jobs=-1,
    backend="loky",
):
    """Draw a photo set, file by file, in a fixed order.

    The same `per_class`, `near_duplicate_share`, `wrong_labels` and `seed` give the same bytes,
    with any `n_jobs` and `backend`. A near-duplicate shows the same picture as another numbered
    file: saved at another quality, resized, mirrored, cropped by at most 2 % a side or slightly
    brighter or darker; it follows the other file, because a picture is drawn once. The files of
    `flowers.synthetic.malformed.MALFORMED_FILES` come last, in addition to `per_class`.

    Parameters
    ----------
    per_class : int, default 200
        Numbered files of each species, twins included; 2 to 99999.
    near_duplicate_share : float, default 0.25
        Share of them that are twins, rounded down to whole files; 0 to 0.5.
    wrong_labels : int, default 4
        Twins filed under another species than their picture, dealt out over the species in
        turn; 0 to the number of twins.
    seed : int, default 0
        At least 0.
    n_jobs : int, default -1
        Processes or threads, as in `joblib.Parallel`; not 0.
    backend : str, default "loky"
        "loky", "multiprocessing", "threading" or "sequential".

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
    _require(2 <= per_class <= 99_999, "per_class", per_class, "a number from 2 to 99999")
    _require(
        0 <= near_duplicate_share <= 0.5,
        "near_duplicate_share",
        near_duplicate_share,
        "a share from 0 to 0.5",
    )
    twins = len(SPECIES) * int(per_class * near_duplicate_share)
    _require(
        0 <= wrong_labels <= twins,
        "wrong_labels",
        wrong_labels,
        f"0 to {twins}, the count of twins",
    )
    _require(seed >= 0, "seed", seed, "a whole number from 0")
    _require(n_jobs != 0, "n_jobs", n_jobs, "-1 for all cores, or the count of workers")
    _require(backend in BACKENDS, "backend", backend, "one of " + ", ".join(BACKENDS))
    shown = defaultdict(list)
    for species, number, *source in _plan(per_class, near_duplicate_share, wrong_labels, seed):
        shown[tuple(source)].append((species, number))
    jobs = [joblib.delayed(_numbered)(seed, *source, files) for source, files in shown.items()]
    jobs += [joblib.delayed(_hazard)(seed, name) for name in MALFORMED_FILES]
    done = joblib.Parallel(n_jobs=n_jobs, backend=backend, return_as="generator")(jobs)
    return chain.from_iterable(done)


def _require(holds, name, value, remedy):
    if not holds:
        raise BadInput(f"{name} is {value!r}: give {remedy}")


def _rng(seed, *key):
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _plan(per_class, near_duplicate_share, wrong_labels, seed):
    """Yield species index and number of each file, and those of the picture that it shows."""
    rngs = [_rng(seed, k, 0, _PLANNING) for k in range(len(SPECIES))]
    orders = [rng.permutation(per_class) for rng in rngs]
    twins = int(per_class * near_duplicate_share)
    for k, (rng, order) in enumerate(zip(rngs, orders, strict=True)):
        shown = {int(number): (k, int(number)) for number in order}
        misfiled = len(range(k, wrong_labels, len(SPECIES)))
        for place, number in enumerate(order[:twins]):
            other = k
            if place < misfiled:
                other = (k + int(rng.integers(1, len(SPECIES)))) % len(SPECIES)
            shown[int(number)] = (other, int(rng.choice(orders[other][twins:])))
        for number in range(per_class):
            yield k, number, *shown[number]


def _numbered(seed, species, number, files):
    """Names and contents of the numbered files that show one picture, which is drawn once."""
    picture = draw_photo(SPECIES[species], _rng(seed, species, number, _DRAWING))
    return [_filed(seed, picture, *file, twin=file != (species, number)) for file in files]


def _filed(seed, picture, species, number, *, twin):
    """Name and content of one numbered file."""
    rng = _rng(seed, species, number, _FILING)
    if twin:
        picture = _altered(picture, rng)
    suffix = str(rng.choice(list(FORMATS), p=FORMAT_SHARES))
    stream = io.BytesIO()
    picture.save(stream, FORMATS[suffix], quality=int(rng.integers(60, 96)))  # not used by PNG
    return f"{SPECIES[species]}/{number:04d}.{suffix}", stream.getvalue()


def _altered(picture, rng):
    """Give the same picture after one of the small changes that copies on the web go through."""
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


def _hazard(seed, name):
    """Generate one file of `MALFORMED_FILES` from its own picture: a list of (name, content)."""
    species = SPECIES.index(name.split("/")[0])
    rng = _rng(seed, species, list(MALFORMED_FILES).index(name), _HAZARD)
    return [(name, MALFORMED_FILES[name](draw_photo(SPECIES[species], rng)))]
