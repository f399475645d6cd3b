"""A small codebook for tests, fitted on noise."""

from functools import cache

import numpy as np

from flowers.features.codebook_fitting import (
    CodebookParams,
    fit_codebook,
    sample_descriptors,
    select_images,
)

PARAMS = CodebookParams(scales=(1.0, 0.5), words=4, photos=12, per_photo=40, seed=0)


def make_images(n=12, side=48, seed=0):
    """Coloured squares on a grid, (n, side, side, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (n, side // 8, side // 8, 3))
    return np.kron(coarse, np.ones((1, 8, 8, 1))).astype(np.uint8)


def fit_on_images(images, params=PARAMS, rows=None):
    sizes = np.full((len(images), 2), (4, 3))
    rows = np.arange(len(images)) if rows is None else rows
    tasks = select_images(images, sizes, rows, params)
    return fit_codebook([sample_descriptors(*task) for task in tasks], params)


@cache
def small_codebook():
    return fit_on_images(make_images())
