"""Simulated traffic: images drawn from a reference set, independently, in bursts, by day."""

import numpy as np

from flowers.drift.label_shift import encode_one_hot

PER_DAY = 500  # predictions
WORKDAYS = 5  # of a week
SEASON_DAYS = 60


def draw_images(groups, weights, size, rng):
    """Draw near-duplicate groups with replacement, and one image of each drawn group.

    Parameters
    ----------
    groups, weights : ndarray of shape (m,)
        Group of each image and its relative frequency. A group is drawn as often as its first
        image with a positive weight.
    size : tuple of int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape `size`, int64
        Rows of `groups`.
    """
    possible = np.flatnonzero(weights > 0)
    order = possible[np.argsort(groups[possible], kind="stable")]
    _, start, members = np.unique(groups[order], return_index=True, return_counts=True)
    share = weights[order[start]]
    group = rng.choice(len(start), size, p=share / share.sum())
    return order[start[group] + rng.integers(members[group])]


def compute_proportions(reference):
    """Compute the class proportions of a reference set, (n_classes,)."""
    return encode_one_hot(reference.truth, len(reference.classes)).mean(axis=0)


def draw_daily_proportions(proportions, count, sd, rng):
    """Draw the class proportions of each day.

    Parameters
    ----------
    proportions, sd : ndarray of shape (..., n_classes), float
        Mean and standard deviation; a class with a positive mean has about 1 % at least.
    count : tuple of int
        Streams, and days in each.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (*count, n_classes)
    """
    drawn = proportions + sd * rng.normal(size=(*count, proportions.shape[-1]))
    drawn = np.where(proportions > 0, np.maximum(drawn, 0.01), 0)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def raise_first_class(proportions, change):
    """Change the proportion of the first class on each day; the others share the rest.

    Parameters
    ----------
    proportions, change : ndarray of shape (n_classes,), (days,)

    Returns
    -------
    ndarray of shape (days, n_classes)
    """
    first = np.clip(proportions[0] + change, 0.01, 0.99)[:, None]
    others = proportions[1:] / max(proportions[1:].sum(), 1e-12)
    return np.column_stack([first, (1 - first) * others])


def draw_streams(reference, size, rng, *, proportions=None, **kind):
    """Draw streams of images.

    Parameters
    ----------
    reference : flowers.model.reference.Reference
    size : tuple of int
        Streams, and images in each.
    rng : numpy.random.Generator
    proportions : ndarray of shape (n_classes,), optional
        Mean class proportions; by default those of the reference set.
    **kind
        ``burst``: mean length of bursts of one class, at least 1. ``day_sd``: standard deviation of
        the class proportions between days. ``per_day``: images of a day. ``weekend``, ``season``:
        change of the proportion of the first class on two days of seven, and the most in a sine
        of 60 days.

    Returns
    -------
    ndarray of shape `size`, int64
        Rows of `reference`.
    """
    truth = reference.truth
    if not kind.keys() - {"per_day"} and proportions is None:
        return draw_images(reference.group, np.ones(len(truth)), size, rng)
    if proportions is None:
        proportions = compute_proportions(reference)
    count, length = size
    per_day = kind.get("per_day", PER_DAY)
    day = np.arange(-(-length // per_day))
    change = kind.get("weekend", 0) * (day % 7 >= WORKDAYS)
    change = change + kind.get("season", 0) * np.sin(2 * np.pi * day / SEASON_DAYS)
    means = raise_first_class(proportions, change) if change.any() else proportions
    daily = draw_daily_proportions(means, (count, len(day)), kind.get("day_sd", 0.0), rng)
    cumulative = np.repeat(np.cumsum(daily, axis=-1), per_day, axis=1)[:, :length]
    fresh = (rng.random(size)[..., None] > cumulative[..., :-1]).sum(axis=-1)
    starts = np.where(rng.random(size) < 1 / kind.get("burst", 1), np.arange(length), 0)
    classes = np.take_along_axis(fresh, np.maximum.accumulate(starts, axis=1), axis=1)
    drawn = np.empty(size, np.int64)
    for code in np.unique(classes):
        here = classes == code
        weights = (truth == code).astype(float)
        drawn[here] = draw_images(reference.group, weights, (int(here.sum()),), rng)
    return drawn
