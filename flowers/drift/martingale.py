"""Conformal test martingale: a sequential test that new predictions are exchangeable with old ones.

Vovk, Gammerman & Shafer 2022, "Algorithmic Learning in a Random World", 2nd ed., ch. 2 and 8;
Volkhonskiy et al. 2017, "Inductive conformal martingales for change-point detection".

Each prediction gets a conformal p-value, its rank among all earlier ones. Without a change these
are independent and uniform. A betting strategy stakes its wealth on their not being uniform. Under
the null hypothesis wealth is an e-process: it starts at 1 and its expectation never exceeds 1. By
Ville's inequality the probability that it ever reaches w is then at most 1 / w, however long the
stream is and however often it is looked at.
"""

from math import isqrt

import numpy as np

# Predictions in a block, within which they are bet on in the order of a hash. Bursts of a class
# are not exchangeable one by one and nearly are so block by block. A detection can be delayed by
# as many predictions. Chosen on simulated traffic with bursts of 3 and 5.
BLOCK = 100
# Values that are compared pair by pair: as fast as counting, and their counts fit in one byte.
COUNT_BLOCK = 32
# Of the simple jumper: share of the wealth redistributed over its bets with each prediction.
# Chosen on simulated traffic; smaller than in the literature, since blocks leave no fast changes.
JUMP = 0.003
# Of the patient strategy: share of its reserve that is bet with each prediction. The simple jumper
# alone has wealth e^-74 after 20,000 predictions without a change, and would detect no late one.
RESERVE_STAKE = 1e-4
# Bets pay for the variance of p-values within bursts: the design effect (Kish 1965) that bursts of
# 5 have left after blocks. A value above 1 only ever lowers the wealth.
DESIGN_EFFECT = 1.2


def encode_ranks(values):
    """Encode each column, (n, d), as int32 of the same order from 0 without gaps."""
    columns = [np.unique(column, return_inverse=True)[1].ravel() for column in values.T]
    return np.stack(columns, axis=1).astype(np.int32)


def compute_p_values(codes, m, ties):
    """Compute the conformal p-value of each value: its rank among all before it.

    Parameters
    ----------
    codes : ndarray of shape (m + n,), int, >= 0
        The reference set, then the stream in the order of time (`encode_ranks`).
    m : int
    ties : ndarray of shape (n,), range (0, 1)
        Break ties.

    Returns
    -------
    ndarray of shape (n,), range (0, 1)
        Independent and uniform where all m + n are exchangeable.
    """
    lower, equal = _count_before(codes)
    rank = lower[m:] + ties * (equal[m:] + 1)
    return rank / (m + np.arange(len(ties)) + 1)


def _count_before(codes):
    """Count the values before each that are lower, and those that are equal.

    Codes have two digits. Lower are those with a lower first digit, and those with the same first
    and a lower second digit; few digits are fast to count.
    """
    base = isqrt(int(codes.max())) + 1
    dtype = np.min_scalar_type(base)
    first = codes // base
    second = (codes - base * first).astype(dtype)
    first = first.astype(dtype)
    lower = _count_lower(first, base)
    by_first = np.argsort(first, kind="stable")
    lower[by_first] += _count_lower(second[by_first], base)
    # Remove smaller second digits of other groups, which stand before them after the sort.
    counts = np.bincount(codes, minlength=base**2).reshape(base, base)
    other_groups = counts.cumsum(axis=0) - counts
    lower -= (other_groups.cumsum(axis=1) - other_groups).ravel()[codes]
    equal = np.empty(len(codes), int)
    # Integers of up to 16 bits are sorted in a fraction of the time.
    narrow_codes = codes.astype(np.min_scalar_type(base**2))
    equal[np.argsort(narrow_codes, kind="stable")] = np.arange(len(codes))
    equal -= (counts.cumsum() - counts.ravel())[codes]
    return lower, equal


def _count_lower(digits, base):
    """Count the lower digits before each: by counts of whole blocks, by pairs within a block."""
    n = len(digits)
    blocks = -(-n // COUNT_BLOCK)
    # One block below the other, (COUNT_BLOCK, blocks); the padding at the end is before nothing.
    rows = np.full(blocks * COUNT_BLOCK, base, digits.dtype)
    rows[:n] = digits
    rows = np.ascontiguousarray(rows.reshape(blocks, COUNT_BLOCK).T)
    within = np.zeros(rows.shape, np.uint8)
    for lag in range(1, COUNT_BLOCK):
        within[lag:] += rows[:-lag] < rows[lag:]
    own = np.arange(n) // COUNT_BLOCK * base + digits
    counts = np.bincount(own, minlength=blocks * base).reshape(blocks, base)
    before = counts.cumsum(axis=0)
    before -= counts
    lower = before.cumsum(axis=1)
    lower -= before
    return lower.ravel()[own] + within.T.ravel()[:n]


def shuffle_blocks(ties):
    """Order of the bets, (n,) int64: each full block by the last digits of its ties."""
    full = len(ties) // BLOCK * BLOCK
    # Sorted by the ties themselves, equal scores would rise within a block.
    order = np.argsort((ties[:full] * 2**16 % 1).reshape(-1, BLOCK), axis=1)
    return np.append(order + np.arange(0, full, BLOCK)[:, None], np.arange(full, len(ties)))


def compute_log_wealth(p, every=1):
    """Compute the logarithm of the wealth that starts at 1.

    Wealth is split evenly over the scores and over two strategies: the simple jumper (Vovk et al.
    2022, ch. 8) and a patient one that keeps a reserve. Both bet up, down or not at all: a stake
    is multiplied by 1 + (p - 1/2), 1 - (p - 1/2) or 1. Each bet pays for ``DESIGN_EFFECT``: the
    variance of a p-value, 1/12, costs half of it in the long run.

    Parameters
    ----------
    p : ndarray of shape (n, ..., d)
        p-values of d scores.
    every : int
        Predictions between two returned values, at most 1000.

    Returns
    -------
    ndarray of shape (n // every, ...)
    """
    # For each strategy, the new stakes on down, rest and up; none goes to the other strategy.
    transition = np.zeros((2, 3, 2, 3))
    transition[0, :, 0] = _build_transition_matrix(JUMP / 3, JUMP / 3, JUMP / 3)
    transition[1, :, 1] = _build_transition_matrix(JUMP, 0, RESERVE_STAKE / 2)
    transition = transition.reshape(6, 6)
    cost = np.exp((1 - DESIGN_EFFECT) / 24)
    rounds = len(p) // every
    width = int(np.prod(p.shape[1:]))
    stakes = np.full((2, 3, width), 1 / 3)
    redistributed = np.empty((6, width))
    growth = np.empty((rounds, 2, width))
    gains = np.ones((every, 2, 3, width))
    for t in range(rounds):
        bet = (p[t * every : (t + 1) * every].reshape(every, 1, width) - 0.5) * cost
        gains[:, :, 0] = cost - bet
        gains[:, :, 2] = cost + bet
        for gain in gains.reshape(every, 6, width):
            np.dot(transition, stakes.reshape(6, width), out=redistributed)
            np.multiply(redistributed, gain, out=stakes.reshape(6, width))
        growth[t] = stakes.sum(axis=1)
        stakes /= growth[t][:, None]
    growth = growth.reshape(rounds, 2, *p.shape[1:])
    logs = np.cumsum(np.log(growth), axis=0)
    # The mean over strategies and scores, without overflow.
    highest = logs.max(axis=(1, -1), keepdims=True)
    return highest[:, 0, ..., 0] + np.log(np.exp(logs - highest).mean(axis=(1, -1)))


def _build_transition_matrix(to_rest, to_opposite, from_rest):
    """Build the shares of the stakes (columns) that move to down, rest and up (rows)."""
    keep = 1 - to_rest - to_opposite
    return [
        [keep, from_rest, to_opposite],
        [to_rest, 1 - 2 * from_rest, to_rest],
        [to_opposite, from_rest, keep],
    ]


def run_martingale(reference, streams, ties):
    """Run the test martingale over streams.

    Parameters
    ----------
    reference, streams : ndarray of shape (s, m, d), (s, n, d), int
        Scores of the reference set of each stream, and of the stream (`encode_ranks`).
    ties : ndarray of shape (s, n), range (0, 1)

    Returns
    -------
    ndarray of shape (s, n)
        Logarithm of the wealth after the last full block; 0 before the first.
    """
    count, n = ties.shape
    m = reference.shape[1]
    p = np.empty((n, count, reference.shape[2]), np.float32)
    for s, order in enumerate(map(shuffle_blocks, ties)):
        codes = np.concatenate([reference[s], streams[s, order]])
        for j, column in enumerate(codes.T):
            p[:, s, j] = compute_p_values(column, m, ties[s, order])
    log_wealth = np.repeat(compute_log_wealth(p, BLOCK), BLOCK, axis=0).T
    return np.concatenate([np.zeros((count, BLOCK - 1)), log_wealth], axis=1)[:, :n]
