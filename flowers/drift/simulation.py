"""How often the drift alarm rings with and without a shift, by drawing held-out photos again."""

from dataclasses import dataclass

import numpy as np

from flowers.drift import shifts
from flowers.drift.alarm import CONSECUTIVE, compare, differs

NO_SHIFT = "no shift"


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


@dataclass(frozen=True)
class Case:
    """Held-out photos before and after a shift.

    Attributes
    ----------
    before, after : ndarray of shape (m, n_classes)
        Probabilities of the same photos.
    groups : ndarray of shape (m,)
    weights : ndarray of shape (m,)
        How often each photo comes after the shift, relative to the others.
    """

    before: np.ndarray
    after: np.ndarray
    groups: np.ndarray
    weights: np.ndarray


def cases(held_out, answer, images):
    """Make every shift, and none at all.

    Parameters
    ----------
    held_out : dict
        As of ``flowers.log.reference.read_reference``.
    answer : callable
        From images to probabilities.
    images : ndarray of shape (m, s, s, 3), uint8
        Of the held-out photos.

    Yields
    ------
    name : str
    case : Case
    """
    before, groups = held_out["probabilities"], held_out["group"]
    even = np.ones(len(groups))
    yield NO_SHIFT, Case(before, before, groups, even)
    for name in shifts.NAMES:
        after, weights = before, even
        if name in shifts.OF_PIXELS:
            after = answer(shifts.apply(name, images)).astype(before.dtype)
        if name in shifts.OF_CLASSES:
            weights = shifts.OF_CLASSES[name](len(held_out["classes"]))[held_out["truth"]]
        yield name, Case(before, after, groups, weights)


def alarm_rates(case, n, repeats, seed, *, alpha, min_effect):
    """Share of windows that differ, and of alarms, in repeated drift of a known kind.

    Each time reference and windows are drawn anew and independently from the same held-out photos
    (group bootstrap): with no shift the null hypothesis holds exactly, and the chance in the
    reference, as large as the real one, is part of the rate. Disjoint halves would differ from
    each other by more than their draws do and overstate false alarms.

    Parameters
    ----------
    case : Case
    n : int
        Predictions in a window.
    repeats : int
    seed : int
    alpha, min_effect : float
        As of ``flowers.drift.alarm.differs``.

    Returns
    -------
    dict
        ``one_window``: share of single windows that differ; ``alarm``: share of cases where all
        of ``CONSECUTIVE`` do.
    """
    rng = np.random.default_rng(seed)
    size, even = len(np.unique(case.groups)), np.ones(len(case.groups))
    references = draw_photos(case.groups, even, (repeats, size), rng)
    windows = draw_photos(case.groups, case.weights, (repeats, CONSECUTIVE, n), rng)
    differing = np.array(
        [
            differs(*compare(case.before[reference], case.after[window]), alpha, min_effect)
            for reference, window in zip(references, windows, strict=True)
        ]
    )
    return {
        "one_window": float(differing.mean()),
        "alarm": float(differing.all(axis=1).mean()),
    }
