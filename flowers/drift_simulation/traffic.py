"""Simulated traffic: images drawn from a reference set, independently, in bursts, by day."""

import numpy as np

from flowers.drift.label_shift import compute_proportions

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


def plan_proportions(proportions, days, weekend=0.0, season=0.0):
    """Plan the mean class proportions of each day.

    Parameters
    ----------
    proportions, days : ndarray of shape (n_classes,), int
        Proportions of a usual day, and number of days.
    weekend : float
        Change of the first class on two days of seven.
    season : float
        Greatest change of each class in a sine of ``SEASON_DAYS``, each class in another phase.

    Returns
    -------
    ndarray of shape (days, n_classes)
    """
    day = np.arange(days)[:, None]
    phase = np.arange(len(proportions)) / len(proportions)
    planned = proportions + season * np.sin(2 * np.pi * (day / SEASON_DAYS + phase))
    others = proportions[1:].sum()
    direction = np.append(1, -proportions[1:] / others) if others else np.zeros(1)
    planned = np.maximum(planned + weekend * (day % 7 >= WORKDAYS) * direction, 0.01)
    planned = np.where(proportions > 0, planned, 0)
    return planned / planned.sum(axis=1, keepdims=True)


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
        see `plan_proportions`.

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
    days = -(-length // per_day)
    plan = {key: kind[key] for key in ("weekend", "season") if key in kind}
    means = plan_proportions(proportions, days, **plan) if plan else proportions
    daily = draw_daily_proportions(means, (count, days), kind.get("day_sd", 0.0), rng)
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
