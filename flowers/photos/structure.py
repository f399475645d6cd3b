"""Near-duplicates by structure: where edges run, whatever the colours."""

import numpy as np

from flowers.photos.twins import unit_rows

SIDE = 64  # pixels: finer detail is lost in copies that are saved small or blurred
CELLS = 8
BINS = 9
# Gradient below which a cell counts as plain, so that noise does not pass for structure; 8-bit
# levels, summed over a cell.
PLAIN = 8.0
BATCH = 64  # photos
# Rows of the correlation matrix held at once, three times: 256 x 100,000 float32 = 100 MB.
ROWS = 256


def structure(images):
    """Histograms of oriented gradients of a photo reduced to 64x64 grey pixels.

    As of Dalal & Triggs 2005, but each cell once and not in overlapping blocks, which correlates
    as well in a third of the numbers: 8x8 cells, 9 unsigned orientations, both linearly
    interpolated, divided by the length of the 3x3 cells around, clipped at 0.2.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is at least 32. Photos below 64x64 are reduced to 32x32.

    Returns
    -------
    ndarray of shape (n, 8, 8, 9), float32, range [0, 0.2]
    """
    found = np.empty((len(images), CELLS, CELLS, BINS), dtype=np.float32)
    for start in range(0, len(images), BATCH):
        found[start : start + BATCH] = _normalised(_histograms(_grey(images[start:][:BATCH])))
    return found


def mirrored(rows):
    """Give the structure of the mirrored photos: cells and slopes change sides.

    Parameters
    ----------
    rows : ndarray of shape (n, 8, 8, 9)
        From `structure`.

    Returns
    -------
    ndarray of the same shape
    """
    return rows[:, :, ::-1, ::-1]


def structure_pairs(images, threshold):
    """Pairs of photos whose structure correlates, one of them possibly mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the 576 numbers of `structure` above which two photos are twins.

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    shape = (-1, CELLS, CELLS, BINS)
    rows = unit_rows(structure(images))
    found, strength = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.float32)]
    for start in range(0, len(rows), ROWS):
        block, rest = rows[start : start + ROWS], rows[start:]
        turned = np.ascontiguousarray(mirrored(block.reshape(shape))).reshape(len(block), -1)
        correlation = np.maximum(block @ rest.T, turned @ rest.T)
        i, j = np.nonzero(correlation > threshold)
        later = j > i
        found.append(np.column_stack([i[later], j[later]]) + start)
        strength.append(correlation[i[later], j[later]])
    return np.concatenate(found), np.concatenate(strength)


def _grey(images):
    """Photos as means of areas, (n, side, side), range [0, 255]."""
    side = images.shape[1]
    area = _areas(side, SIDE if side >= SIDE else SIDE // 2)
    return area @ images.mean(axis=3, dtype=np.float32) @ area.T


def _areas(side, reduced):
    """Share of each of `side` pixels in each of `reduced` equal lengths, (reduced, side)."""
    ends = np.linspace(0, side, reduced + 1)[:, None]
    pixel = np.arange(side)
    inside = np.minimum(ends[1:], pixel + 1) - np.maximum(ends[:-1], pixel)
    return (np.maximum(inside, 0) * reduced / side).astype(np.float32)


def _histograms(grey):
    """Strength of the gradients by cell and orientation, (n, cells, cells, bins)."""
    dx, dy = np.zeros_like(grey), np.zeros_like(grey)
    dx[:, :, 1:-1] = grey[:, :, 2:] - grey[:, :, :-2]
    dy[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    strength = np.hypot(dx, dy)
    # Middles of bins lie at half numbers: mirrored, the bin k becomes the bin 8 - k.
    turn = np.arctan2(dy, dx) % np.float32(np.pi) * np.float32(BINS / np.pi) - np.float32(0.5)
    pixels = grey.shape[1] // CELLS
    middle = (np.arange(CELLS) + 0.5) * pixels
    away = np.abs(np.arange(grey.shape[1]) + 0.5 - middle[:, None]) / pixels
    weights = np.maximum(1 - away, 0).astype(np.float32)
    histograms = np.empty((len(grey), CELLS, CELLS, BINS), dtype=np.float32)
    for k in range(BINS):
        away = np.abs(turn - np.float32(k))
        share = np.maximum(1 - np.minimum(away, BINS - away), 0)
        histograms[..., k] = weights @ (share * strength) @ weights.T
    return histograms


def _normalised(histograms):
    power = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(power[:, y : y + CELLS, x : x + CELLS] for y in range(3) for x in range(3))
    return np.minimum(histograms / (np.sqrt(around)[..., None] + PLAIN), 0.2)
