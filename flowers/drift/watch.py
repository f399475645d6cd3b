"""The watch over a stream of answers: what rings, when, since when, and of what kind."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from flowers.drift.martingale import bet_on
from flowers.drift.means import LENGTHS
from flowers.drift.windows import compared

RINGS = CAPITAL, SCORES, MIX = "capital", "scores", "mix"
# p-values at which the means ring; they are looked at every 50 photos for years. Scores of fewer
# photos are looked at anew more often, and ring at a level as many times lower. What is known of
# the mix is a matter of days.
LEVELS = {SCORES: 1e-4 * np.array(LENGTHS) / LENGTHS[-1], MIX: 3e-5}
# Windows that tell what a ring is about, at least.
CONSECUTIVE = 2
LABELS = "labels"
PHOTOS, FLOWERS = "the photos or the answers changed", "other flowers arrive"
WRONG = "the answers are wrong more often"


@dataclass(frozen=True)
class Ring:
    """The first ring of an alarm.

    Attributes
    ----------
    by : {"capital", "scores", "mix", "labels"}
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


def capital(known, rows, codes):
    """Logarithm of the capital bet against a stream of answers, (n,).

    Parameters
    ----------
    known : int
        Held-out photos.
    rows : ndarray of shape (n,)
    codes : ndarray of shape (known + n, d), int
        As of ``flowers.drift.neutral.Ranked.bets``, of the held-out photos first.
    """
    return bet_on(codes[None, :known], codes[None, known:], ties(rows)[None])[0]


def first_ring(log_capital, means, params):
    """Find what rang first.

    Parameters
    ----------
    log_capital : ndarray of shape (n,)
    means : Means
    params : dict
        ``capital`` at which the bet rings.

    Returns
    -------
    Ring or None
    """
    rings = []
    high = log_capital >= np.log(params["wealth_limit"])
    if high.any():
        at = int(high.argmax())
        rings.append(Ring(CAPITAL, int(np.r_[0.0, log_capital[:at]].argmin()), at))
    for by, level in LEVELS.items():
        if found := means.first_low(by, level):
            rings.append(Ring(by, found[0], found[1] - 1))
    if found := means.first_run():
        rings.append(Ring(MIX, found[0], found[1] - 1))
    return min(rings, key=lambda ring: ring.at, default=None)


def kind(ring, means, held, probabilities, params):
    """Tell whether other flowers arrive or the photos, or the answers to them, have changed.

    The capital and the neutral scores do not see the mix: where they rang it is the photos. Where
    the mix rang, the photos since then are looked at again: their neutral scores, and their answers
    beside held-out ones of their mix, whatever it is.

    Parameters
    ----------
    ring : Ring
    means : Means
    held : Held
    probabilities : ndarray of shape (n, n_classes)
        Of the stream.
    params : dict
        ``alpha``, ``window``.

    Returns
    -------
    str
        One of ``PHOTOS``, ``FLOWERS`` and ``WRONG``.
    """
    if ring.by == LABELS:
        return WRONG
    if ring.by != MIX:
        return PHOTOS
    since = stretch(ring, probabilities, params["window"])
    p_values, *_ = compared(held, since[None])
    apart = means.scores_of(ring.since, ring.since + len(since))
    return PHOTOS if min(p_values.min(), apart) <= params["alpha"] else FLOWERS


def stretch(ring, rows, window):
    """Take the rows that tell what a ring is about: two windows from where it began."""
    return rows[ring.since : max(ring.at + 1, ring.since + CONSECUTIVE * window)]
