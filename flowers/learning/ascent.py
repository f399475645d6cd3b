"""Linear machines whose weights follow one row after the other."""

import numpy as np

from flowers.learning.linear import Hyperplanes

# Passes over the rows, at most, and the share of the objective that may be missing at the end.
PASSES, GAP = 50, 0.05


def ascend(rows, signs, C, seed):
    """Fit many linear machines on the same rows by stochastic dual coordinate ascent.

    Hsieh et al. 2008 ("A dual coordinate descent method for large-scale linear SVM", algorithm 1)
    and Shalev-Shwartz & Zhang 2013: the weights follow one row after the other, and the step along
    each is exact. Like Yu et al. 2010 ("Large linear classification when data cannot fit in
    memory") it takes a batch at a time: with the products of its rows, the steps within it need no
    weights. The bias is the weight of a further feature that is always 1.

    Parameters
    ----------
    rows : Rows
    signs : ndarray of shape (n, m), int8
        For each machine 1 and -1 for rows of either side, 0 for rows that it is not shown.
    C : float, > 0
        Weight of a row's hinge loss beside half the squared length of the weights, as in ``SVC``.
    seed : int
        Of the order of the rows, another in each pass.

    Returns
    -------
    weights : ndarray of shape (m, d), float32
    offset : ndarray of shape (m,), float64
    alpha : ndarray of shape (n, m), float64, range [0, C]
        0 for rows on which the machine does not depend.
    gap : ndarray of shape (m,), float64
        Share of the objective by which it is at most too high, as seen in the last pass.
    """
    (n, m), rng = signs.shape, np.random.default_rng(seed)
    weights, offset = np.zeros((m, rows.shape[1]), np.float32), np.zeros(m)
    alpha = np.zeros((n, m))
    for _ in range(PASSES):
        missing, loss = np.zeros(m), np.zeros(m)
        for some, x, products in rows.batches(rng.permutation(n)):
            decision = (x @ weights.T).astype(np.float64) + offset
            found, lost, short = _steps(products, decision, alpha[some], signs[some], C)
            change = (found - alpha[some]) * signs[some]
            weights += change.T.astype(np.float32) @ x
            offset += change.sum(axis=0)
            alpha[some] = found
            loss += lost
            missing += short
        length = np.einsum("ij,ij->i", weights, weights, dtype=np.float64) + offset**2
        gap = missing / np.maximum(loss + length / 2, np.finfo(float).tiny)
        if (gap <= GAP).all():
            break
    return weights, offset, alpha, gap


def _steps(products, decision, alpha, signs, C):
    """One step for each row of a batch, with the loss and the duality gap before them."""
    products = products.astype(np.float64) + 1.0
    loss, missing = np.zeros(decision.shape[1]), np.zeros(decision.shape[1])
    most = C * np.abs(signs)
    for r, own in enumerate(products.diagonal()):
        short = 1.0 - signs[r] * decision[r]
        lost = most[r] * np.maximum(short, 0.0)
        loss += lost
        missing += lost - alpha[r] * short
        found = np.clip(alpha[r] + short / own, 0.0, most[r])
        decision[r:] += products[r:, r, None] * ((found - alpha[r]) * signs[r])
        alpha[r] = found
    return alpha, loss, missing


class Ascent:
    """Machines for parts of the rows, all fitted in the same passes over them.

    Parameters
    ----------
    C : float, > 0
    multiclass : {"ovo", "ovr"}
    seed : int
    """

    def __init__(self, C, multiclass, seed):
        self.C, self.multiclass, self.seed = C, multiclass, seed

    def fit(self, rows, y, parts):
        """Fit a machine on each of the parts, which are arrays of places."""
        self.classes_, index = np.unique(y, return_inverse=True)
        own = self._signs(index)
        shown = np.zeros((len(parts), len(y), 1), np.int8)
        for part, mask in zip(parts, shown, strict=True):
            mask[part] = 1
        signs = np.hstack([own * mask for mask in shown])
        weights, offset, alpha, self.gap_ = ascend(rows, signs, self.C, self.seed)
        some = [slice(k, k + own.shape[1]) for k in range(0, signs.shape[1], own.shape[1])]
        self.planes_ = [Hyperplanes(weights[s], offset[s]) for s in some]
        self.support_ = [np.flatnonzero(alpha[:, s].any(axis=1)) for s in some]
        return self

    def _signs(self, index):
        """For each row, on which side of each machine it stands; 0 on neither."""
        k = len(self.classes_)
        member = np.eye(k, dtype=np.int8)[index]
        if k == 2:
            return member[:, 1:] - member[:, :1]
        if self.multiclass == "ovr":
            return 2 * member - np.int8(1)
        first, second = np.triu_indices(k, 1)  # the order, and the sides, of `votes_and_margins`
        return member[:, first] - member[:, second]

    def decided(self, rows, part, places):
        """Decision values of the rows of these places by the machine of a part."""
        planes = self.planes_[part]
        return np.concatenate([planes.decision_function(x) for _, x in rows.read(places)])

    def held_out(self, rows, y, tasks):
        """Classes, and decision values for each task of the places fitted on and those asked."""
        self.fit(rows, y, [known for known, _ in tasks])
        asked = enumerate(places for _, places in tasks)
        return self.classes_, [self.decided(rows, part, places) for part, places in asked]
