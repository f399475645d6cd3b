"""Traffic as a scorer gets it, drawn from held-out photos: independent, in bursts, in days."""

import numpy as np

from flowers.drift.mix import one_hot

PER_DAY = 500


def draw_photos(groups, weights, size, rng):
    """Draw groups with replacement, and of each drawn group one photo.

    Parameters
    ----------
    groups : ndarray of shape (m,)
    weights : ndarray of shape (m,), >= 0
        How often each photo comes, relative to the others; its group comes as often as the first
        photo of the group that can come at all.
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


def base_mix(truth, n_classes):
    """Share of each class, (n_classes,)."""
    return one_hot(truth, n_classes).mean(axis=0)


def days(mix, count, sd, rng):
    """Draw the mix of each day around `mix`.

    Parameters
    ----------
    mix : ndarray of shape (n_classes,)
    count : tuple of int
        Of streams and days.
    sd : float
        Standard deviation of the share of each class.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (*count, n_classes), sum 1
        No class that there is comes less often than one photo in a hundred.
    """
    drawn = mix + sd * rng.normal(size=(*count, len(mix)))
    drawn = np.where(mix > 0, np.maximum(drawn, 0.01), 0)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def streams(photos, size, rng, *, burst=1.0, day_sd=0.0, mix=None):
    """Draw streams of photos.

    Parameters
    ----------
    photos : flowers.model.reference.Reference
    size : tuple of int
        Of streams, and of photos in each.
    rng : numpy.random.Generator
    burst : float, >= 1
        Photos of a class that come in a row, on average, beside those by chance.
    day_sd : float
        Of `days`, with ``PER_DAY`` photos each.
    mix : ndarray of shape (n_classes,), optional
        That of `photos` if not given.

    Returns
    -------
    ndarray of shape `size`, int64
        Rows of `photos`.
    """
    truth, n_classes = photos.truth, len(photos.classes)
    if burst == 1 and day_sd == 0 and mix is None:
        return draw_photos(photos.group, np.ones(len(truth)), size, rng)
    mix = base_mix(truth, n_classes) if mix is None else mix
    count, length = size
    daily = days(mix, (count, -(-length // PER_DAY)), day_sd, rng)
    upto = np.repeat(np.cumsum(daily, axis=-1), PER_DAY, axis=1)[:, :length]
    fresh = (rng.random(size)[..., None] > upto[..., :-1]).sum(axis=-1)
    begins = np.where(rng.random(size) < 1 / burst, np.arange(length), 0)
    classes = np.take_along_axis(fresh, np.maximum.accumulate(begins, axis=1), axis=1)
    drawn = np.empty(size, np.int64)
    for code in np.unique(classes):
        here = classes == code
        weights = (truth == code).astype(float)
        drawn[here] = draw_photos(photos.group, weights, (int(here.sum()),), rng)
    return drawn
