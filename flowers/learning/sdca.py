"""Out-of-core linear support vector machine by stochastic dual coordinate ascent (SDCA)."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits

from flowers.base.errors import BadInput
from flowers.base.parallel import drop_pages, use_threads
from flowers.learning.folds import restore_row_order
from flowers.learning.linear import LinearDecisionFunction
from flowers.learning.svm import BaseSVM


class StreamedSVC(BaseSVM):
    """Linear support vector machine for more rows than have a Gram matrix in memory.

    Minimises what ``GramSVC(kernel="linear")`` does, but for the bias, whose square counts as that
    of a weight, and stops within 5 % of the least objective or after 50 passes. The rows are read
    in batches in a seeded order; the fit on all rows and those of the calibration's folds share
    each batch. Knobs and attributes are those of `BaseSVM`; the kernel is linear.

    Attributes
    ----------
    gap_ : float
        Share of the objective by which it is at most too high.
    """

    def __init__(  # noqa: PLR0913, an estimator's params are its parameters
        self,
        C=1.0,
        kernel="linear",
        gamma="scale",
        standardise=True,
        multiclass="ovo",
        calibration="temperature",
        folds=5,
        seed=0,
    ):
        super().__init__(C, kernel, gamma, standardise, multiclass, calibration, folds, seed)

    def fit(self, X, y, groups=None):
        """Fit the machine and its calibration.

        Parameters
        ----------
        X : Rows, or ndarray of shape (n, d), any real dtype
        y, groups
            As of `GramSVC.fit`.

        Raises
        ------
        BadInput
            If the kernel is not linear, or a class has fewer groups than `folds`.
        """
        if self.kernel != "linear":
            raise BadInput(
                f"solver sgd has no kernel {self.kernel}: set train_svm.kernel to linear, or "
                "train_svm.solver to gram"
            )
        if isinstance(X, OutOfCoreMatrix):
            self.n_features_in_, y = X.shape[1], np.asarray(y)
        else:
            X, y = validate_data(self, X, y)
            X = OutOfCoreMatrix([X], np.arange(len(X)))
        check_classification_targets(y)
        with threadpool_limits(1, "blas"):
            rows, width = self._prepared(X)
            tuning = self._tuning(y, groups, rows, width)
            ((_, machine, seen),) = self._attempts(rows, [self.C_], self.gamma_)
            self._calibrate(machine, seen, y, groups)
        if tuning:
            self.out_of_fold_accuracy_ = tuning.nested_accuracy
        return self

    def summarise_fit(self):
        """Say what `BaseSVM` does, and how far from the least objective the fit may have ended."""
        return super().summarise_fit() | {"gap": self.gap_}

    def _prepared(self, X):
        """Rows as they are standardised, and what makes their squared length 1 on average."""
        every = np.arange(len(X))
        if self.standardise:
            scaler = StandardScaler()
            for _, x in X.read(every):
                scaler.partial_fit(x)
            mean, factor = scaler.mean_.astype(np.float32), 1.0 / scaler.scale_
            X = OutOfCoreMatrix(X.sources, X.numbers, mean, factor.astype(np.float32))
        lengths = sum(float(products.trace(dtype=float)) for *_, products in X.batches(every))
        return X, len(X) / max(lengths, np.finfo(float).tiny)

    def _attempts(self, rows, Cs, gamma):
        factor = np.ones(rows.shape[1]) if rows.factor is None else rows.factor
        factor = (factor * np.sqrt(gamma)).astype(np.float32)
        seen = OutOfCoreMatrix(rows.sources, rows.numbers, rows.mean, factor)
        return ((C, SDCASolver(C, self.multiclass, self.seed), seen) for C in Cs)

    def _fits(self, machine, rows, y, folds):
        """One fit for all: the last part is of all rows."""
        every = np.arange(len(y))
        machine.fit(rows, y, [known for known, _ in folds] + [every])
        parts = [
            machine.decision_function(rows, part, places) for part, (_, places) in enumerate(folds)
        ]
        decision = restore_row_order(parts, folds)
        self.support_, self.gap_ = machine.support_[-1], float(machine.gap_.max())
        planes = machine.planes_[-1]
        coef = planes.coef_.astype(np.float64) * rows.factor
        offset = planes.intercept_ - (0.0 if rows.mean is None else coef @ rows.mean)
        return LinearDecisionFunction(coef.astype(np.float32), offset), decision

    def _rows(self, X):
        return X


# Passes over the rows, at most, and the share of the objective that may be missing at the end.
PASSES, GAP = 50, 0.05


def solve_sdca(rows, signs, C, seed):
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


class SDCASolver:
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
        weights, offset, alpha, self.gap_ = solve_sdca(rows, signs, self.C, self.seed)
        some = [slice(k, k + own.shape[1]) for k in range(0, signs.shape[1], own.shape[1])]
        self.planes_ = [LinearDecisionFunction(weights[s], offset[s]) for s in some]
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

    def decision_function(self, rows, part, places):
        """Decision values of the rows of these places by the machine of a part."""
        planes = self.planes_[part]
        return np.concatenate([planes.decision_function(x) for _, x in rows.read(places)])

    def fit_folds(self, rows, y, tasks):
        """Classes, and decision values for each task of the places fitted on and those asked."""
        self.fit(rows, y, [known for known, _ in tasks])
        asked = enumerate(places for _, places in tasks)
        return self.classes_, [self.decision_function(rows, part, places) for part, places in asked]


# Rows whose products with one another are known at once; 64 x 35,000 float32 = 9 MB.
BATCH = 64


class OutOfCoreMatrix:
    """Rows of arrays that lie below one another, which are read when they are asked for.

    Parameters
    ----------
    sources : sequence of ndarray of shape (n, d), mapped from files or not
    numbers : ndarray of shape (m,), int
        The rows to take from each source, those of the first source first.
    mean, factor : ndarray of shape (d,), float32, optional
        What to take off, and to multiply by then.
    """

    def __init__(self, sources, numbers, mean=None, factor=None):
        self.sources, self.numbers, self.mean, self.factor = sources, numbers, mean, factor
        self.shape = (len(sources) * len(numbers), sources[0].shape[1])

    def __len__(self):
        """How many rows there are."""
        return self.shape[0]

    def seen(self, some):
        """Give the rows of these places, float32."""
        source, place = np.divmod(some, len(self.numbers))
        rows = np.empty((len(some), self.shape[1]), np.float32)
        for k, array in enumerate(self.sources):
            rows[source == k] = array[self.numbers[place[source == k]]]
            drop_pages(array)
        if self.mean is not None:
            rows -= self.mean
        if self.factor is not None:
            rows *= self.factor
        return rows

    def batches(self, order):
        """Yield places, their rows and the products of these, in this order, read ahead."""
        for places, (rows, products) in self._ahead(self._with_products, order):
            yield places, rows, products

    def read(self, order):
        """Yield places and their rows, in this order, read ahead."""
        return self._ahead(self.seen, order)

    def _with_products(self, places):
        rows = self.seen(places)
        return rows, rows @ rows.T

    def _ahead(self, function, order):
        """Yield places, a batch at a time, and what the function gives for them."""
        some = [order[k : k + BATCH] for k in range(0, len(order), BATCH)]
        with use_threads():
            count = joblib.effective_n_jobs(None)
        if count == 1:
            yield from ((places, function(places)) for places in some)
            return
        # joblib would run as far ahead as it can, and so fill the memory.
        with ThreadPoolExecutor(count) as pool:
            waiting = deque()
            for places in some:
                waiting.append((places, pool.submit(function, places)))
                if len(waiting) > count:
                    places, found = waiting.popleft()
                    yield places, found.result()
            for places, found in waiting:
                yield places, found.result()
