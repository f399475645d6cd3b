"""Synthetic flower photos whose species differ in shape, not in colour."""

import numpy as np
from PIL import Image, ImageFilter

from flowers.base.errors import BadInput
from flowers.synthetic import scene
from flowers.synthetic.facets import paint_facets
from flowers.synthetic.species import COLOURS, make_flower

SPECIES = tuple(COLOURS)
OVERSAMPLING = 2  # factor by which the flower in focus is painted larger and then averaged


def draw_photo(species, rng):
    """Draw one photo of a flower.

    Parameters
    ----------
    species : str
        One of `SPECIES`.
    rng : numpy.random.Generator
        The only source of randomness: the same state gives the same picture.

    Returns
    -------
    PIL.Image.Image
        RGB, each side 160 to 320 pixels.

    Raises
    ------
    BadInput
        If the species is unknown.
    """
    if species not in SPECIES:
        raise BadInput(f"species {species!r} is unknown: choose one of {', '.join(SPECIES)}")
    size = np.array(_sample_size(rng))
    light = scene.sample_light(rng)
    half = size // 2  # enough for what is out of focus
    picture = scene.draw_background(species, tuple(half.tolist()), rng)
    for _ in range(rng.choice(3, p=(0.65, 0.25, 0.1))):
        scale = half.min() * rng.uniform(0.12, 0.25)
        paint_facets(picture, make_flower(species, rng), rng.uniform(0, 1, 2) * half, scale, light)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6)))
    large = OVERSAMPLING * size
    picture = picture.resize(tuple(large.tolist()), Image.Resampling.BILINEAR)
    scale = large.min() * rng.uniform(0.29, 0.44)
    paint_facets(picture, make_flower(species, rng), large * rng.normal(0.5, 0.06, 2), scale, light)
    picture = picture.reduce(OVERSAMPLING)
    if rng.random() < 0.35:
        picture = scene.draw_obstacle(picture, rng)
    if rng.random() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.2)))
    return scene.apply_exposure(picture, light, rng)


def _sample_size(rng):
    """Width and height, 160 to 320 pixels, mostly landscape."""
    long = int(rng.integers(220, 321))
    short = max(160, int(long / rng.choice([1.0, 4 / 3, 1.5, 1.25], p=(0.1, 0.4, 0.3, 0.2))))
    return (long, short) if rng.random() < 0.7 else (short, long)
