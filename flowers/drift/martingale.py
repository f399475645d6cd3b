"""A bet against "nothing has changed": a conformal test martingale on the answers.

Vovk, Gammerman & Shafer 2022, "Algorithmic Learning in a Random World", 2nd ed., ch. 8;
Volkhonskiy et al. 2017, "Inductive conformal martingales for change-point detection". A game that
is fair as long as new photos and held-out ones could change places: each photo gets a p-value, its
rank among all before it, and the capital is bet on the p-values not being uniform. By Ville's
inequality a capital that starts at 1 ever reaches 100 in at most 1 % of such streams, however long
they are and however often one looks.
"""

import numpy as np

from flowers.drift.mix import class_means, votes

# Of the simple jumper: each photo, this share of the capital is dealt out anew.
JUMP = 0.01
# The patient jumper keeps a reserve and bets so little of it a photo. The simple one loses all it
# has on a long quiet stream (e^-74 after 20,000 photos) and would notice no late change.
LEAVE = 1e-4
# Probabilities are logged with six decimals.
LEAST = 5e-7


def scores(probabilities):
    """Give what is ranked of an answer: confidence, and each log-probability less their mean.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, 1 + n_classes), float64
    """
    logs = np.log(np.maximum(probabilities, LEAST, dtype=float))
    return np.column_stack([probabilities.max(axis=1), logs - logs.mean(axis=1, keepdims=True)])


def neutral(reference, truth, probabilities):
    """Take from scores what the mix of classes explains: no change of the mix moves the rest.

    A score becomes its rank among the held-out photos, less the mean rank of the classes the photo
    votes for (``flowers.drift.mix.votes``). Its mean over the photos of any class is then 0, so
    days with other flowers, or bursts of one, leave it where it was.

    Parameters
    ----------
    reference : ndarray of shape (m, n_classes)
        Probabilities on held-out photos.
    truth : ndarray of shape (m,), int
        Index of their class.
    probabilities : ndarray of shape (n, n_classes)

    Returns
    -------
    ndarray of shape (n, 1 + n_classes), float64
    """
    ordered = np.sort(scores(reference), axis=0)

    def ranks(given):
        sides = [
            np.searchsorted(column, values, side)
            for column, values in zip(ordered.T, scores(given).T, strict=True)
            for side in ("left", "right")
        ]
        return np.add(sides[::2], sides[1::2]).T / (2 * len(ordered))

    explained = votes(reference, truth, probabilities) @ class_means(
        reference, truth, ranks(reference)
    )
    # Equal answers are equal scores, whatever the last bits of a product are.
    return (ranks(probabilities) - explained).round(9)


def p_values(values, m, ties):
    """Conformal p-value of each value among those before it: its rank, ties broken as told.

    Parameters
    ----------
    values : ndarray of shape (s, m + n)
        Of s streams: first the held-out photos, then the stream in the order of time.
    m : int
    ties : ndarray of shape (s, n), range (0, 1)

    Returns
    -------
    ndarray of shape (s, n), range (0, 1)
        Independent and uniform where the order of all m + n is chance.
    """
    codes = np.stack([np.unique(stream, return_inverse=True)[1].ravel() for stream in values])
    kinds, (count, length) = codes.max() + 1, ties.shape
    codes = codes + np.arange(count)[:, None] * kinds  # of their own for each stream

    def occurrences(part):
        return np.bincount(part.ravel(), minlength=count * kinds)

    seen, found = occurrences(codes[:, :m]), np.empty(ties.shape)
    # A block is compared with all before it by counting, and within itself pair by pair.
    size = max(16, int(np.sqrt(kinds)))
    for start in range(0, length, size):
        block, tie = codes[:, m + start : m + start + size], ties[:, start : start + size]
        below = np.cumsum(seen.reshape(count, kinds), axis=1).ravel() - seen
        earlier = np.tri(block.shape[1], k=-1, dtype=bool)
        one, other = block[:, :, None], block[:, None, :]
        less = below[block] + ((other < one) & earlier).sum(axis=2)
        equal = seen[block] + ((other == one) & earlier).sum(axis=2)
        before = m + start + np.arange(block.shape[1])
        found[:, start : start + size] = (less + tie * (equal + 1)) / (before + 1)
        seen += occurrences(block)
    return found


def log_capital(p):
    """Capital of a player who starts with 1, as its logarithm, after each photo.

    The capital is split evenly over the scores and over two players: the simple jumper (Vovk et
    al. 2022, ch. 8), and a patient one that keeps a reserve. Both bet up, down or not at all: a
    stake becomes 1 + (p - 1/2), 1 - (p - 1/2), or stays.

    Parameters
    ----------
    p : ndarray of shape (n, ..., d)
        p-values of d scores.

    Returns
    -------
    ndarray of shape (n, ...)
    """
    players = [(JUMP / 3, JUMP / 3, JUMP / 3), (JUMP, 0, LEAVE / 2)]
    to_rest, across, start = (
        np.reshape(x, (2,) + (1,) * (p.ndim - 1)) for x in zip(*players, strict=True)
    )
    down, rest, up = (np.full((2, *p.shape[1:]), 1 / 3) for _ in range(3))
    growth = np.empty((len(p), 2, *p.shape[1:]), np.float32)
    keep, stay = 1 - to_rest - across, 1 - 2 * start
    for t, bet in enumerate(p - 0.5):
        moved = start * rest
        rest = stay * rest + to_rest * (down + up)
        down, up = (
            (keep * down + across * up + moved) * (1 - bet),
            (keep * up + across * down + moved) * (1 + bet),
        )
        total = down + rest + up
        growth[t] = total
        down, rest, up = down / total, rest / total, up / total
    logs = np.cumsum(np.log(growth), axis=0, dtype=float)
    # The mean over players and scores of what may be too large for a number, in place.
    most = logs.max(axis=(1, -1), keepdims=True)
    logs -= most
    return most[:, 0, ..., 0] + np.log(np.exp(logs, out=logs).mean(axis=(1, -1)))


def bet_on(reference, values, ties):
    """Capital over streams whose scores are known.

    Parameters
    ----------
    reference : ndarray of shape (s, m, d)
        Scores of the held-out photos, a set for each stream.
    values : ndarray of shape (s, n, d)
        Scores of the streams.
    ties : ndarray of shape (s, n), range (0, 1)

    Returns
    -------
    ndarray of shape (s, n)
        As of `log_capital`.
    """
    both, m = np.concatenate([reference, values], axis=1), reference.shape[1]
    p = [p_values(both[:, :, j], m, ties) for j in range(both.shape[2])]
    return log_capital(np.stack(p, axis=-1).transpose(1, 0, 2)).T
