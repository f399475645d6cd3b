"""Near-duplicates by every signal: colour, structure, and structure of a part."""

import numpy as np

from flowers.duplicates.colour import find_colour_pairs, select_pairs
from flowers.duplicates.structure import find_crop_pairs, find_structure_pairs

SIGNALS = {"colour": find_colour_pairs, "structure": find_structure_pairs, "crop": find_crop_pairs}


def find_near_duplicates(images, thresholds, bar=iter):
    """Pairs of twins by the first signal that finds them.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    thresholds : dict of {"colour", "structure", "crop"} to float in (0, 1) or None
        Correlation above which two photos are twins; None leaves the signal out.
    bar : callable, optional
        As of `find_crop_pairs`, which takes longest.

    Returns
    -------
    dict of signal to (pairs, correlation)
        As of `find_colour_pairs`, for each signal in use; no pair is in two of them.
    """
    found, known = {}, np.empty(0, dtype=np.int64)
    for signal, threshold in thresholds.items():
        if threshold is None:
            continue
        options = {"bar": bar} if signal == "crop" else {}
        pairs, correlation = SIGNALS[signal](images, threshold, **options)
        code = pairs[:, 0] * len(images) + pairs[:, 1]
        new = ~np.isin(code, known)
        found[signal] = pairs[new], correlation[new]
        known = np.append(known, code)
    return found


def merge_pairs(found):
    """Give the pairs of all signals as one array of shape (k, 2), int64."""
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *(p for p, _ in found.values())])


def select_examples(found, labels, count):
    """Choose twins of every signal to look at, the same number of each where there are so many.

    Parameters
    ----------
    found : dict
        From `find_near_duplicates`.
    labels : ndarray of shape (n,)
    count : int
        Pairs.

    Returns
    -------
    rows : ndarray of shape (at most 2 * `count`,), int64
        The two photos of each pair side by side.
    captions : list of str
        The label; of the first of a pair also the signal with its correlation.
    """
    rows, captions, left = [], [], count
    # The signal with the fewest pairs first: what it leaves free goes to the others.
    ordered = sorted(found.items(), key=lambda item: len(item[1][0]))
    for k, (signal, (pairs, correlation)) in enumerate(ordered):
        chosen = select_pairs(pairs, correlation, labels, left // (len(ordered) - k))
        left -= len(chosen) // 2
        likeness = {tuple(p): c for p, c in zip(pairs.tolist(), correlation, strict=True)}
        for first, second in chosen.reshape(-1, 2).tolist():
            rows += [first, second]
            captions += [
                f"{labels[first]} {signal} {likeness[first, second]:.2f}",
                str(labels[second]),
            ]
    return np.array(rows, dtype=np.int64), captions
