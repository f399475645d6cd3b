"""How often the drift alarm rings with and without a shift, by drawing held-out photos again."""

import numpy as np

from flowers.drift.alarm import CONSECUTIVE, compare, differs


def draw_photos(groups, weights, size, rng):
    """Draw groups with replacement, and of each drawn group one photo.

    Parameters
    ----------
    groups : ndarray of shape (m,)
    weights : ndarray of shape (m,), >= 0
        How often each photo comes, relative to the others; its group comes as often as the first
        photo of the group.
    size : tuple of int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape `size`, int64
        Rows of `groups`.
    """
    order = np.argsort(groups, kind="stable")
    _, start, members = np.unique(groups[order], return_index=True, return_counts=True)
    share = weights[order[start]]
    group = rng.choice(len(start), size, p=share / share.sum())
    return order[start[group] + rng.integers(members[group])]


def alarm_rates(before, after, groups, weights, n, repeats, alpha, min_effect, seed):
    """Share of windows that differ, and of alarms, in repeated drift of a known kind.

    Each time reference and windows are drawn anew and independently from the same held-out photos
    (group bootstrap): with no shift the null hypothesis holds exactly, and the chance in the
    reference, as large as the real one, is part of the rate. Disjoint halves would differ from
    each other by more than their draws do and overstate false alarms.

    Parameters
    ----------
    before, after : ndarray of shape (m, n_classes)
        Probabilities of the same photos as they are and after the shift.
    groups : ndarray of shape (m,)
    weights : ndarray of shape (m,)
        How often each photo comes after the shift, relative to the others.
    n : int
        Predictions in a window.
    repeats : int
    alpha, min_effect : float
        As of ``flowers.drift.alarm.differs``.
    seed : int

    Returns
    -------
    dict
        ``one_window``: share of single windows that differ; ``alarm``: share of cases where all
        of ``CONSECUTIVE`` do.
    """
    rng = np.random.default_rng(seed)
    size, even = len(np.unique(groups)), np.ones(len(groups))
    references = draw_photos(groups, even, (repeats, size), rng)
    windows = draw_photos(groups, weights, (repeats, CONSECUTIVE, n), rng)
    differing = np.array(
        [
            differs(*compare(before[reference], after[window]), alpha, min_effect)
            for reference, window in zip(references, windows, strict=True)
        ]
    )
    return {
        "one_window": float(differing.mean()),
        "alarm": float(differing.all(axis=1).mean()),
    }
