"""Feature extraction: images in, one row of numbers per image out."""

from functools import partial

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.parallel import drop_pages, open_shared, parallel_map, share_arrays, track
from flowers.features.augmentation import alter_image
from flowers.features.colour import extract_colour
from flowers.features.fisher import extract_fisher
from flowers.features.hog import extract_hog
from flowers.features.pixels import extract_pixels

EXTRACTORS = {
    "pixels": extract_pixels,
    "colour": extract_colour,
    "hog": extract_hog,
    "fisher": extract_fisher,
}
# Extractors with a codebook, which is learned from training images.
NEEDS_CODEBOOK = {"fisher"}
BATCH = 32  # images


def extract_features(images, names, sizes=None, codebook=None):
    """Extract the named features of images, concatenated in the order of the names.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.
    names : sequence of str
        Keys of ``EXTRACTORS``.
    sizes : ndarray of shape (n, 2), int, optional
        Width and height of the images before they were resized to squares; default: squares. Used
        by the extractors of ``NEEDS_CODEBOOK`` only.
    codebook : flowers.features.codebook.Codebook, optional
        For the extractors of ``NEEDS_CODEBOOK``.

    Returns
    -------
    ndarray of shape (n, d)
        With one name of the extractor's dtype: uint8 for pixels, int8 for fisher, else float32.
        With several float32, in which pixels range over [0, 1] and fisher over [-1, 1].

    Raises
    ------
    BadInput
        If a feature needs a codebook and there is none.

    Examples
    --------
    >>> images = np.full((2, 32, 32, 3), 255, np.uint8)
    >>> extract_features(images, ["pixels"]).shape
    (2, 3072)
    >>> rows = extract_features(images, ["hog", "colour"])
    >>> rows.shape, rows.dtype
    ((2, 900), dtype('float32'))
    """
    if codebook is None and (missing := sorted(NEEDS_CODEBOOK & set(names))):
        raise BadInput(f"feature {missing[0]} has no codebook: learn one by dvc repro codebook")
    options = dict.fromkeys(NEEDS_CODEBOOK, (sizes, codebook))
    parts = [EXTRACTORS[name](images, *options.get(name, ())) for name in names]
    if len(parts) == 1:
        return parts[0]
    largest = {np.dtype(np.uint8): np.float32(255), np.dtype(np.int8): np.float32(127)}
    return np.hstack([p / largest[p.dtype] if p.dtype in largest else p for p in parts])


def extract_batches(images, sizes, preprocessing, numbers, copy=0):
    """Extract the features of many images, or of altered copies of them, in parallel.

    Parameters
    ----------
    images, sizes
        As in `extract_features`.
    preprocessing : dict
        ``names`` and ``codebook`` of `extract_features`.
    numbers : ndarray of shape (m,), int
        The images whose features are extracted.
    copy : int, optional
        Number of the altered copy of each image, see `alter_image`; 0: the images themselves.

    Yields
    ------
    (start, rows)
        Place of the first image of the batch in `numbers`, and features, shape (at most BATCH, d).
    """
    starts = range(0, len(numbers), BATCH)
    with share_arrays(images) as (shared,):
        parts = (numbers[start : start + BATCH] for start in starts)
        tasks = ((shared, part, sizes[part], copy) for part in parts)
        batches = parallel_map(partial(_extract_batch, **preprocessing), tasks)
        yield from zip(starts, track(batches, len(starts), "features"), strict=True)


def _extract_batch(images, numbers, sizes, copy, **preprocessing):
    images = open_shared(images)
    batch = images[numbers]
    if copy:
        seeds = [(copy, number) for number in numbers.tolist()]
        batch = np.stack([alter_image(*task) for task in zip(batch, sizes, seeds, strict=True)])
    rows = extract_features(batch, sizes=sizes, **preprocessing)
    drop_pages(images)
    return rows
