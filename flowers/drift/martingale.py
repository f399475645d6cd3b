"""A bet against "nothing has changed": a conformal test martingale on the answers.

Vovk, Gammerman & Shafer 2022, "Algorithmic Learning in a Random World", 2nd ed., ch. 8;
Volkhonskiy et al. 2017, "Inductive conformal martingales for change-point detection". A game that
is fair as long as new photos and held-out ones could change places: each photo gets a p-value, its
rank among all before it, and the capital is bet on the p-values not being uniform. By Ville's
inequality a capital that starts at 1 ever reaches 1,000 in at most 1 of 1,000 such streams, however
long they are and however often one looks.
"""

import numpy as np

from flowers.drift.ranks import BLOCK, order, p_values

# Of the simple jumper: each photo, this share of the capital is dealt out anew.
JUMP = 0.003
# The patient jumper keeps a reserve and bets so little of it a photo. The simple one loses all it
# has on a long quiet stream (e^-74 after 20,000 photos) and would notice no late change.
LEAVE = 1e-4
# A bet pays for as much variance as if the p-values of a burst were worth that many fewer: the
# design effect (Kish 1965) that is left of bursts of 5. It only ever lowers the capital.
DESIGN_EFFECT = 1.2


def log_capital(p, every=1):
    """Capital of a player who starts with 1, as its logarithm.

    The capital is split evenly over the scores and over two players: the simple jumper (Vovk et
    al. 2022, ch. 8), and a patient one that keeps a reserve. Both bet up, down or not at all: a
    stake becomes 1 + (p - 1/2), 1 - (p - 1/2), or stays. Each bet pays for ``DESIGN_EFFECT``: the
    variance of a p-value, 1/12, costs half of it in the long run.

    Parameters
    ----------
    p : ndarray of shape (n, ..., d)
        p-values of d scores.
    every : int
        At most 1000.

    Returns
    -------
    ndarray of shape (n // every, ...)
        After each so many photos.
    """
    # Of each player, what becomes of the stakes on down, rest and up; nothing goes to the other.
    moves = np.zeros((2, 3, 2, 3))
    moves[0, :, 0] = _moves(JUMP / 3, JUMP / 3, JUMP / 3)
    moves[1, :, 1] = _moves(JUMP, 0, LEAVE / 2)
    moves = moves.reshape(6, 6)
    pays = np.exp((1 - DESIGN_EFFECT) / 24)
    rounds, width = len(p) // every, int(np.prod(p.shape[1:]))
    stakes = np.full((2, 3, width), 1 / 3)
    dealt, growth = np.empty((6, width)), np.empty((rounds, 2, width))
    worth = np.ones((every, 2, 3, width))
    for t in range(rounds):
        bet = (p[t * every : (t + 1) * every].reshape(every, 1, width) - 0.5) * pays
        worth[:, :, 0], worth[:, :, 2] = pays - bet, pays + bet
        for gain in worth.reshape(every, 6, width):
            np.dot(moves, stakes.reshape(6, width), out=dealt)
            np.multiply(dealt, gain, out=stakes.reshape(6, width))
        growth[t] = stakes.sum(axis=1)
        stakes /= growth[t][:, None]
    growth = growth.reshape(rounds, 2, *p.shape[1:])
    logs = np.cumsum(np.log(growth), axis=0)
    # The mean over players and scores of what may be too large for a number.
    most = logs.max(axis=(1, -1), keepdims=True)
    return most[:, 0, ..., 0] + np.log(np.exp(logs - most).mean(axis=(1, -1)))


def _moves(to_rest, across, start):
    """Give the shares of the stakes (columns) that go to down, rest and up (rows)."""
    keep = 1 - to_rest - across
    return [[keep, start, across], [to_rest, 1 - 2 * start, to_rest], [across, start, keep]]


def bet_on(reference, stream, ties):
    """Capital over streams whose scores are known.

    Parameters
    ----------
    reference : ndarray of shape (s, m, d), int
        Scores of the held-out photos, a set for each stream, as `codes_of` gives them.
    stream : ndarray of shape (s, n, d), int
        Scores of the streams.
    ties : ndarray of shape (s, n), range (0, 1)

    Returns
    -------
    ndarray of shape (s, n)
        As of `log_capital`, after the last full block; 0 before the first.
    """
    (count, n), m = ties.shape, reference.shape[1]
    shuffled = np.stack([order(line) for line in ties])
    both = np.concatenate(
        [reference, np.take_along_axis(stream, shuffled[..., None], axis=1)], axis=1
    )
    p = np.empty((n, count, both.shape[2]), np.float32)
    for s, (codes, line) in enumerate(
        zip(both, np.take_along_axis(ties, shuffled, axis=1), strict=True)
    ):
        for j, column in enumerate(codes.T):
            p[:, s, j] = p_values(column, m, line)
    found = np.repeat(log_capital(p, BLOCK), BLOCK, axis=0).T
    return np.concatenate([np.zeros((count, BLOCK - 1)), found], axis=1)[:, :n]
