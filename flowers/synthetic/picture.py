"""Synthetic flower photos whose species differ in shape, seldom in colour."""

import numpy as np
from PIL import Image, ImageFilter

from flowers.base.errors import BadInput
from flowers.synthetic import scene
from flowers.synthetic.facets import paint_facets
from flowers.synthetic.species import COLOURS, make_flower

SPECIES = tuple(COLOURS)
OVERSAMPLING = 1.5  # factor by which flowers in focus are painted larger and then averaged
# Shares of photos: the flower is small and in a corner; another flower is beside it, half of
# them of any species; the lens is out of focus.
HINTED = 0.18
NEIGHBOURS = 0.3
BLURRED = 0.35


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
        RGB, each side 160 to 288 pixels.

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
    for _ in range(rng.integers(0, 4)):
        _paint_flower(picture, rng.choice(SPECIES), rng.uniform(0, 1, 2), (0.1, 0.28), light, rng)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2.0)))
    large = (OVERSAMPLING * size).astype(int)
    picture = picture.resize(tuple(large.tolist()), Image.Resampling.BILINEAR)
    if rng.random() < NEIGHBOURS:
        other = species if rng.random() < 0.5 else rng.choice(SPECIES)
        _paint_flower(picture, other, rng.uniform(0, 1, 2), (0.15, 0.4), light, rng)
    if rng.random() < HINTED:
        corner = rng.choice([0.18, 0.82], 2) + rng.normal(0, 0.06, 2)
        _paint_flower(picture, species, corner, (0.14, 0.3), light, rng)
    else:
        _paint_flower(picture, species, rng.normal(0.5, 0.1, 2), (0.2, 0.5), light, rng)
    picture = picture.resize(tuple(size.tolist()), Image.Resampling.BILINEAR)
    for _ in range(rng.choice(3, p=(0.5, 0.35, 0.15))):
        picture = scene.draw_obstacle(picture, rng)
    if rng.random() < BLURRED:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.8)))
    return scene.apply_exposure(picture, light, rng)


def _paint_flower(picture, species, place, scales, light, rng):
    """Paint a flower at a place given in shares of the picture, in place."""
    scale = min(picture.size) * rng.uniform(*scales)
    paint_facets(picture, make_flower(species, rng), place * picture.size, scale, light)


def _sample_size(rng):
    """Width and height, 160 to 288 pixels, mostly landscape."""
    long = int(rng.integers(200, 289))
    short = max(160, int(long / rng.choice([1.0, 4 / 3, 1.5, 1.25], p=(0.1, 0.4, 0.3, 0.2))))
    return (long, short) if rng.random() < 0.7 else (short, long)
