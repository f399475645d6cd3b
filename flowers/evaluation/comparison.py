"""Two models on the same test photos: what one is worth more than the other, and how surely."""

from collections import Counter

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from flowers.base.errors import BadInput
from flowers.evaluation.metrics import resample_group_means, run_mcnemar_test


def compare_paired(correct_a, correct_b, groups, resamples, seed):
    """Compare two classifiers on the same photos.

    Parameters
    ----------
    correct_a, correct_b : ndarray of shape (n,), bool
    groups : ndarray of shape (n,)
        Photos of one group are drawn together, as in `group_bootstrap`.
    resamples, seed : int

    Returns
    -------
    dict
        ``accuracy`` of each, the ``difference`` of the second from the first with the ends
        ``low`` and ``high`` of its 95 % interval, and what `run_mcnemar_test` gives.
    """
    gain = correct_b.astype(float) - correct_a
    low, high = np.quantile(resample_group_means(gain, groups, resamples, seed), [0.025, 0.975])
    return {
        "photos": len(gain),
        "accuracy": (float(correct_a.mean()), float(correct_b.mean())),
        "difference": float(gain.mean()),
        "low": float(low),
        "high": float(high),
    } | run_mcnemar_test(correct_a, correct_b)


def list_models(rows):
    """Names of the models that a table of predictions has answers of."""
    return [name for name in rows if any(column.startswith(f"{name}_") for column in rows)]


def match_images(first, second):
    """Match the rows of two tables of predictions that are of the same photo and label.

    Parameters
    ----------
    first, second : dict of column to ndarray of str
        With ``sha256``, ``label`` and ``group``.

    Returns
    -------
    rows_first, rows_second : ndarray of int
        Positions, in the order of the first table.
    groups : ndarray of int
        Photos that are twins in either table share one.
    """
    places = {key: place for place, key in enumerate(_identify_images(second))}
    found = [(i, places[key]) for i, key in enumerate(_identify_images(first)) if key in places]
    rows = np.array(found, dtype=int).reshape(-1, 2)
    ours, theirs = first["group"][rows[:, 0]], second["group"][rows[:, 1]]
    return rows[:, 0], rows[:, 1], _join_groups(ours, theirs)


def _identify_images(rows):
    """Tell photos apart: by content, label, and which of several copies it is."""
    seen = Counter()
    for photo in zip(rows["sha256"].tolist(), rows["label"].tolist(), strict=True):
        seen[photo] += 1
        yield *photo, seen[photo]


def _join_groups(first, second):
    """Hold together what either grouping does."""
    (a, i), (b, j) = (np.unique(groups, return_inverse=True) for groups in (first, second))
    edges = coo_array((np.ones(len(i)), (i, len(a) + j)), shape=(len(a) + len(b),) * 2)
    return connected_components(edges, directed=False)[1][i]


def compare_runs(first, second, models, resamples, seed):
    """Compare the answers of two tables on the test photos that both have.

    Parameters
    ----------
    first, second : dict of column to ndarray of str
        Tables of predictions.
    models : pair of str
        Whose answers to take, from the first and from the second.
    resamples, seed : int

    Returns
    -------
    dict
        As of `compare_paired`.

    Raises
    ------
    BadInput
        If no test photo is in both.
    """
    rows_first, rows_second, groups = match_images(first, second)
    if not len(rows_first):
        raise BadInput("no test photo is in both runs: compare runs on the same photos and split")
    right = [
        (table[model] == table["label"])[rows]
        for table, model, rows in zip(
            (first, second), models, (rows_first, rows_second), strict=True
        )
    ]
    return compare_paired(*right, groups, resamples, seed)
