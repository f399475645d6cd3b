"""Feature extractors by name: photos in, one row of numbers per photo out."""

from functools import partial

import numpy as np

from flowers.base.errors import BadInput
from flowers.base.parallel import open_shared, parallel_map, share_arrays
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
# Those that need a codebook, which is learnt from training photos.
NEEDS_CODEBOOK = {"fisher"}
BATCH = 32  # photos


def extract_features(images, names, sizes=None, codebook=None):
    """Give the features of photos, the named extractors side by side.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.
    names : sequence of str
        Keys of ``EXTRACTORS``.
    sizes : ndarray of shape (n, 2), int, optional
        Width and height of the photos before they were squeezed to squares. Only the extractors
        of ``NEEDS_CODEBOOK`` look at them; without them, photos count as squares.
    codebook : flowers.features.codebook.Codebook, optional
        Needed by the extractors of ``NEEDS_CODEBOOK``.

    Returns
    -------
    ndarray of shape (n, d)
        In the extractor's own dtype if it is one alone: uint8 for pixels, int8 for fisher, else
        float32. Side by side all are float32, and 8-bit numbers range over [-1, 1].

    Raises
    ------
    BadInput
        If a feature has to learn first, and there is no codebook.
    """
    if codebook is None and (unread := sorted(NEEDS_CODEBOOK & set(names))):
        raise BadInput(f"feature {unread[0]} has no codebook: dvc repro codebook learns one")
    parts = [
        EXTRACTORS[name](images, sizes, codebook)
        if name in NEEDS_CODEBOOK
        else EXTRACTORS[name](images)
        for name in names
    ]
    if len(parts) == 1:
        return parts[0]
    whole = {np.dtype(np.uint8): np.float32(255), np.dtype(np.int8): np.float32(127)}
    return np.hstack([p / whole[p.dtype] if p.dtype in whole else p for p in parts])


def extract_batches(images, sizes, preparation, mirrored=False):
    """Features of many photos by all workers, a batch at a time.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    sizes : ndarray of shape (n, 2), int
    preparation : dict
        ``names`` and ``codebook``, as of `extract_features`.
    mirrored : bool, optional
        Take the mirror images instead.

    Yields
    ------
    start : int
        The first photo of the batch.
    rows : ndarray of shape (m, d)
    """
    starts = range(0, len(images), BATCH)
    with share_arrays(images) as (stored,):
        tasks = ((stored, k, sizes[k : k + BATCH], mirrored) for k in starts)
        yield from zip(starts, parallel_map(partial(_batch, **preparation), tasks), strict=True)


def _batch(images, start, sizes, mirrored, **preparation):
    some = open_shared(images)[start : start + len(sizes)]
    some = np.ascontiguousarray(some[:, :, ::-1] if mirrored else some)
    return extract_features(some, sizes=sizes, **preparation)
