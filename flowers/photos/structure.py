"""Near-duplicates by structure: where edges run, whatever the colours."""

import numpy as np

from flowers.parallel import each, on_threads
from flowers.photos.gradients import by_orientation, polar, triangles
from flowers.photos.twins import unit_rows

CELLS = 8
BINS = 9
# Gradient below which a cell counts as plain, so that noise does not pass for structure; 8-bit
# levels, summed over a cell.
PLAIN = 8.0
BATCH = 16  # photos, whose gradients fit into a core's cache
# Rows of the correlation matrix held at once, three times: 256 x 100,000 float32 = 100 MB.
ROWS = 256

# A window of a photo: its left and upper edge and its length, as shares of the side, and the
# pixels it is reduced to. Finer detail is lost in copies that are saved small or blurred.
WHOLE = (0, 0, 1, 64)
# Frames, captions and backdrops change what lies outside it, and make unlike photos alike.
MIDDLE = (0.2, 0.2, 0.6, 48)


def _windows(share, steps):
    """Windows of one size, spread evenly over the photo."""
    places = np.linspace(0, 1 - share, steps).tolist()
    return [(left, top, share, WHOLE[3]) for top in places for left in places]


# What a cropped copy may show. A copy is found within about 5 % of a window's place and size.
CROPS = [*_windows(0.87, 3), *_windows(0.75, 4)]


def structure(images, window=WHOLE):
    """Histograms of oriented gradients of a window of photos.

    As of Dalal & Triggs 2005, but each cell once and not in overlapping blocks: 8x8 cells, 9
    unsigned orientations, both linearly interpolated, divided by the length of the 3x3 cells
    around, clipped at 0.2.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    window : tuple of four numbers
        As of ``WHOLE``; the last is a multiple of 8.

    Returns
    -------
    ndarray of shape (n, 576), float32, range [0, 0.2]
        By row, column and orientation.
    """
    found = np.empty((len(images), CELLS * CELLS * BINS), dtype=np.float32)
    for start in range(0, len(images), BATCH):
        found[start : start + BATCH] = _of_window(_grey(images[start : start + BATCH]), window)
    return found


def _of_window(grey, window):
    """`structure` of photos of which the grey is known, (n, s, s) float32."""
    left, top, share, pixels = window
    across, down = (_areas(grey.shape[1], edge, share, pixels) for edge in (left, top))
    found = np.empty((len(grey), CELLS * CELLS * BINS), dtype=np.float32)
    for start in range(0, len(grey), BATCH):
        histograms = _normalised(_histograms(down @ grey[start : start + BATCH] @ across.T))
        found[start : start + BATCH] = histograms.reshape(len(histograms), -1)
    return found


def mirrored(rows):
    """Give the structure of mirrored photos: cells and slopes change sides.

    Parameters
    ----------
    rows : ndarray of shape (n, 576)
        From `structure`, of a window that is its own mirror image.

    Returns
    -------
    ndarray of the same shape
    """
    return rows.reshape(-1, CELLS, CELLS, BINS)[:, :, ::-1, ::-1].reshape(rows.shape)


def structure_pairs(images, threshold):
    """Pairs of photos whose middles correlate in structure, one of them possibly mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the numbers of `structure` above which two photos are twins.

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    middle = unit_rows(structure(images, MIDDLE))
    return _strongest(_above(middle, middle, threshold), len(images))


def crop_pairs(images, threshold, bar=iter):
    """Pairs of photos of which one, possibly mirrored, correlates with a window of the other.

    The windows are those of ``CROPS``; a frame is found as well, since what it frames is a window.

    Parameters
    ----------
    images, threshold
        As of `structure_pairs`.
    bar : callable, optional
        Hands on blocks of photos one by one, and may show how far they are.

    Returns
    -------
    pairs, correlation : ndarray
        As of `structure_pairs`.
    """
    whole = unit_rows(structure(images))
    starts = range(0, len(images), ROWS)
    tasks = ((images, start, whole, threshold) for start in starts)
    found = []
    with on_threads():
        for _, parts in zip(bar(starts), each(_in_windows, tasks), strict=True):
            found += parts
    return _strongest(found, len(images))


def _in_windows(images, start, whole, threshold):
    """Where the windows of a block of photos correlate with whole photos; their grey is kept."""
    grey = _grey(images[start : start + ROWS])
    rows = (unit_rows(_of_window(grey, window)) for window in CROPS)
    return [_correlated(some, start, whole, threshold) for some in rows]


def _above(rows, others, threshold):
    """Where rows or their mirror images correlate with others: blocks of (i, j, correlation)."""
    starts = range(0, len(rows), ROWS)
    return [_correlated(rows[k : k + ROWS], k, others, threshold) for k in starts]


def _correlated(block, start, others, threshold):
    correlation = block @ others.T
    np.maximum(correlation, mirrored(block) @ others.T, out=correlation)
    i, j = np.nonzero(correlation > threshold)
    return i + start, j, correlation[i, j]


def _strongest(found, n):
    """Each pair of two photos once, with its strongest correlation."""
    i, j, correlation = map(np.concatenate, zip(*found, strict=True))
    code = np.minimum(i, j) * n + np.maximum(i, j)
    order = np.lexsort((-correlation, code))
    code, first = np.unique(code[order], return_index=True)
    pairs = np.column_stack([code // n, code % n])
    two = pairs[:, 0] < pairs[:, 1]
    return pairs[two], correlation[order][first][two]


def _grey(images):
    """Mean of red, green and blue, (n, s, s); in this form nine times as fast as ``mean``."""
    red, green, blue = (images[..., k] for k in range(3))
    return (red.astype(np.float32) + green + blue) / np.float32(3)


def _areas(side, edge, share, reduced):
    """Share of each of `side` pixels in each of the `reduced` parts of a window."""
    ends = side * np.linspace(edge, edge + share, reduced + 1)[:, None]
    pixel = np.arange(side)
    inside = np.minimum(ends[1:], pixel + 1) - np.maximum(ends[:-1], pixel)
    return (np.maximum(inside, 0) * reduced / (side * share)).astype(np.float32)


def _histograms(grey):
    """Strength of the gradients by cell and orientation, (n, 8, 8, 9)."""
    strength, turn = polar(grey)
    # A slope and its opposite are one: half a turn is as much as none.
    turn += (turn < 0) * np.float32(4)
    turn -= (turn >= 4) * np.float32(4)
    # Middles of bins lie at half numbers: mirrored, the bin k becomes the bin 8 - k.
    turn *= np.float32(BINS / 4)
    turn -= np.float32(0.5)
    weights = triangles(grey.shape[1], grey.shape[1] // CELLS)
    histograms = np.empty((len(grey), CELLS, CELLS, BINS), dtype=np.float32)
    shares = by_orientation(strength, turn, range(BINS), (0, BINS - 1))
    for k, share in enumerate(shares):
        histograms[..., k] = weights @ share @ weights.T
    return histograms


def _normalised(histograms):
    power = np.pad((histograms**2).sum(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(power[:, y : y + CELLS, x : x + CELLS] for y in range(3) for x in range(3))
    return np.minimum(histograms / (np.sqrt(around)[..., None] + PLAIN), 0.2)
