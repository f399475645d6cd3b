"""Near-duplicates by all signals (colour, structure, structure of a crop), and their groups."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers.duplicates.colour import find_colour_pairs
from flowers.duplicates.structure import find_crop_pairs, find_structure_pairs

SIGNALS = {"colour": find_colour_pairs, "structure": find_structure_pairs, "crop": find_crop_pairs}


def find_near_duplicates(images, thresholds, bar=iter):
    """Find pairs of near-duplicates, each by the first signal that detects it.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    thresholds : dict of {"colour", "structure", "crop"} to float in (0, 1) or None
        Correlation above which two images are near-duplicates; None skips the signal.
    bar : callable, optional
        As in `find_crop_pairs`, which takes longest.

    Returns
    -------
    dict of signal to (pairs, correlation)
        As in `flowers.duplicates.similarity.find_pairs`, for each signal in use; no pair is in two
        of them.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    >>> images[2] = images[0, :, ::-1]
    >>> matches = find_near_duplicates(images, {"colour": 0.97})
    >>> matches["colour"][0]
    array([[0, 2]])
    """
    matches = {}
    earlier = np.empty(0, dtype=np.int64)
    for signal, threshold in thresholds.items():
        if threshold is None:
            continue
        options = {"bar": bar} if signal == "crop" else {}
        pairs, correlation = SIGNALS[signal](images, threshold, **options)
        code = pairs[:, 0] * len(images) + pairs[:, 1]
        new = ~np.isin(code, earlier)
        matches[signal] = pairs[new], correlation[new]
        earlier = np.append(earlier, code)
    return matches


def merge_pairs(matches):
    """Concatenate the pairs of all signals.

    Returns
    -------
    ndarray of shape (k, 2), int64
    """
    pairs = [pairs for pairs, _ in matches.values()]
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])


def group_pairs(pairs, n):
    """Join pairs to groups, their connected components, numbered by first appearance.

    Parameters
    ----------
    pairs : ndarray of shape (k, 2), int
    n : int
        Images.

    Returns
    -------
    ndarray of shape (n,), int64
        The group of each image; an image without a near-duplicate is a group of its own.

    Examples
    --------
    >>> group_pairs(np.array([[0, 3], [3, 4]]), 5)
    array([0, 1, 2, 0, 0])
    """
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def select_examples(matches, labels, count):
    """Select pairs of every signal for a contact sheet, in equal numbers where there are enough.

    Pairs with conflicting labels come first, then those of the lowest correlations.

    Parameters
    ----------
    matches : dict
        From `find_near_duplicates`.
    labels : ndarray of shape (n,)
    count : int
        Pairs.

    Returns
    -------
    rows : ndarray of shape (at most 2 * `count`,), int64
        The two images of each pair side by side.
    captions : list of str
        The label; for the first image of a pair also the signal and its correlation.
    """
    rows = []
    captions = []
    remaining = count
    # The signal with the fewest pairs first: the others fill the places that it leaves.
    ordered = sorted(matches.items(), key=lambda item: len(item[1][0]))
    for k, (signal, (pairs, correlation)) in enumerate(ordered):
        conflict = labels[pairs[:, 0]] != labels[pairs[:, 1]]
        chosen = np.lexsort((correlation, ~conflict))[: remaining // (len(ordered) - k)]
        remaining -= len(chosen)
        for (first, second), value in zip(pairs[chosen].tolist(), correlation[chosen], strict=True):
            rows += [first, second]
            captions += [f"{labels[first]} {signal} {value:.2f}", str(labels[second])]
    return np.array(rows, dtype=np.int64), captions
