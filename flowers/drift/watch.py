"""The watch over a stream of answers: what rings, when, since when, and of what kind."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from flowers.drift.martingale import bet_on, neutral, scores
from flowers.drift.ranks import codes_of
from flowers.drift.windows import compared

# Windows in a row that have to differ; one alone may be chance.
CONSECUTIVE = 2
# Of the mix, also more in a row at a larger alpha: a class that stays away is seldom sure at once.
MIX_RUNS = ((CONSECUTIVE, 1), (3, 15))
RINGS = CAPITAL, WINDOWS, SHARES = "capital", "windows", "mix"
LABELS = "labels"
PHOTOS, FLOWERS = "the photos or the answers changed", "other flowers arrive"
WRONG = "the answers are wrong more often"


@dataclass(frozen=True)
class Ring:
    """The first ring of an alarm.

    Attributes
    ----------
    by : {"capital", "windows", "mix", "labels"}
    since, at : int
        Rows of the stream: where the change seems to begin, and the last one seen as it rang.
    """

    by: str
    since: int
    at: int


def ties(rows):
    """Give each row a number in (0, 1) that its answer and its photo decide: it breaks ties.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        With ``probabilities`` and ``image``.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    content = np.concatenate([rows["probabilities"], rows["image"]], axis=1).astype("<f4")
    return (np.array([crc32(row.tobytes()) for row in content], float) + 0.5) / 2**32


def capital(held, rows, tolerance):
    """Logarithm of the capital bet against a stream of answers, (n,)."""
    codes = codes_of(
        np.concatenate(
            [ranked(held, p, tolerance) for p in (held.probabilities, rows["probabilities"])]
        )
    )
    known, arriving = np.split(codes, [len(held.truth)])
    return bet_on(known[None], arriving[None], ties(rows)[None])[0]


def ranked(held, probabilities, tolerance):
    """Give the scores to bet on: where no change of the mix is tolerated, the plain ones."""
    if tolerance == 0:
        return scores(probabilities)
    return neutral(held.probabilities, held.truth, probabilities)


def in_a_row(marked, count=CONSECUTIVE):
    """Find the first of `count` marked windows in a row; None if there is none.

    Parameters
    ----------
    marked : ndarray of shape (k,), bool
    count : int
    """
    if len(marked) < count:
        return None
    runs = np.all([marked[i : len(marked) - count + 1 + i] for i in range(count)], axis=0)
    return int(runs.argmax()) if runs.any() else None


def first_ring(log_capital, windows, knobs):
    """Find what rang first.

    Parameters
    ----------
    log_capital : ndarray of shape (n,)
    windows : Windows
    knobs : dict
        ``capital`` at which the bet rings; ``alpha`` of a window; ``mix_tolerance``.

    Returns
    -------
    Ring or None
    """
    rings = []
    high = log_capital >= np.log(knobs["capital"])
    if high.any():
        at = int(high.argmax())
        rings.append(Ring(CAPITAL, int(np.r_[0.0, log_capital[:at]].argmin()), at))
    marks = [(WINDOWS, CONSECUTIVE, windows.differing(knobs["alpha"]))]
    for count, times in MIX_RUNS:
        beyond = windows.beyond(knobs["mix_tolerance"], min(1, times * knobs["alpha"]))
        marks += [(SHARES, count, column == sign) for column in beyond.T for sign in (-1, 1)]
    for by, count, marked in marks:
        if (first := in_a_row(marked, count)) is not None:
            last = windows.spans[first + count - 1][1] - 1
            rings.append(Ring(by, windows.spans[first][0], last))
    return min(rings, key=lambda ring: ring.at, default=None)


def kind(ring, held, probabilities, knobs):
    """Tell whether other flowers arrive or the photos, or the answers to them, have changed.

    The capital does not see the mix, so where it rang it is the photos. Where the windows or the
    mix rang, the photos since then are compared with held-out ones of their mix, whatever it is.

    Parameters
    ----------
    ring : Ring
    held : Held
    probabilities : ndarray of shape (n, n_classes)
        Of the stream.
    knobs : dict
        ``alpha``, ``window``.

    Returns
    -------
    str
        One of ``PHOTOS``, ``FLOWERS`` and ``WRONG``.
    """
    if ring.by == LABELS:
        return WRONG
    if ring.by in (WINDOWS, SHARES):
        p_values, *_ = compared(held, stretch(ring, probabilities, knobs["window"])[None])
        return PHOTOS if (p_values <= knobs["alpha"]).any() else FLOWERS
    return PHOTOS


def stretch(ring, rows, window):
    """Take the rows that tell what a ring is about: two windows from where it began."""
    return rows[ring.since : max(ring.at + 1, ring.since + CONSECUTIVE * window)]
