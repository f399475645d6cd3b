"""Out-of-core linear support vector machine by stochastic dual coordinate ascent (SDCA)."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits

from flowers.base.errors import BadInput
from flowers.base.parallel import count_workers, drop_pages, use_threads
from flowers.learning.calibration import CONSTANT_FEATURES
from flowers.learning.folds import restore_row_order
from flowers.learning.linear import LinearDecisionFunction
from flowers.learning.standardisation import split_range
from flowers.learning.svm import BaseSVM

# Rows read at once, whose Gram matrix is computed; 64 x 35,000 float32 = 9 MB.
BATCH = 64
# Maximum number of passes over the rows, and the relative duality gap at which the solver stops.
PASSES = 50
GAP = 0.05


class OutOfCoreMatrix:
    """Rows of arrays on disk, concatenated, standardised and read batch by batch.

    Parameters
    ----------
    sources : sequence of (ndarray of shape (n, d), ndarray of int)
        Arrays, memory-mapped or not, and the rows to take from each.
    mean, factor : ndarray of shape (d,), float32, optional
        Each row becomes ``(row - mean) * factor``.
    """

    def __init__(self, sources, mean=None, factor=None):
        self.sources = sources
        self.mean = mean
        self.factor = factor
        self.shape = (sum(len(numbers) for _, numbers in sources), sources[0][0].shape[1])

    def __len__(self):
        """Return the number of rows."""
        return self.shape[0]

    def read_rows(self, places):
        """Read the rows at the given places, float32."""
        rows = np.empty((len(places), self.shape[1]), np.float32)
        first = 0
        for array, numbers in self.sources:
            inside = (places >= first) & (places < first + len(numbers))
            rows[inside] = array[numbers[places[inside] - first]]
            first += len(numbers)
            drop_pages(array)
        if self.mean is not None:
            rows -= self.mean
        if self.factor is not None:
            rows *= self.factor
        return rows

    def read_with_gram(self, places):
        """Read the rows at the given places, and compute their Gram matrix."""
        rows = self.read_rows(places)
        return rows, rows @ rows.T

    def iterate_batches(self, order, read):
        """Yield batches of places in this order, and `read` of each, which is called ahead."""
        batches = [order[batch] for batch in split_range(len(order), BATCH)]
        with use_threads():
            workers = count_workers()
        if workers == 1:
            yield from ((places, read(places)) for places in batches)
            return
        # joblib would read ahead without a limit and fill the memory.
        with ThreadPoolExecutor(workers) as pool:
            pending = deque()
            for places in batches:
                pending.append((places, pool.submit(read, places)))
                if len(pending) > workers:
                    done, future = pending.popleft()
                    yield done, future.result()
            for places, future in pending:
                yield places, future.result()


def solve_sdca(rows, signs, C, seed):
    """Fit several linear classifiers on the same rows by stochastic dual coordinate ascent.

    Hsieh et al. 2008 ("A dual coordinate descent method for large-scale linear SVM", algorithm 1)
    and Shalev-Shwartz & Zhang 2013: one row after the other, with the exact step along its dual
    coefficient. In batches as in Yu et al. 2010 ("Large linear classification when data cannot fit
    in memory"): with the Gram matrix of a batch, the steps within it do not need the weights. The
    intercept is the weight of a feature that is always 1.

    Parameters
    ----------
    rows : OutOfCoreMatrix
    signs : ndarray of shape (n, m), int8
        For each of m classifiers 1 and -1 for the rows of either side, 0 for excluded rows.
    C : float, > 0
        Weight of a row's hinge loss against half the squared norm of the weights, as in ``SVC``.
    seed : int
        Of the order of the rows, which changes with each pass.

    Returns
    -------
    weights : ndarray of shape (m, d), float32
    intercept : ndarray of shape (m,), float64
    dual : ndarray of shape (n, m), float64, range [0, C]
        0 for rows that are not support vectors.
    gap : ndarray of shape (m,), float64
        Duality gap relative to the objective, measured during the last pass.
    """
    n, m = signs.shape
    rng = np.random.default_rng(seed)
    weights = np.zeros((m, rows.shape[1]), np.float32)
    intercept = np.zeros(m)
    dual = np.zeros((n, m))
    for _ in range(PASSES):
        order = rng.permutation(n)
        total_gap, total_loss = np.zeros((2, m))
        for places, (x, gram) in rows.iterate_batches(order, rows.read_with_gram):
            decision = (x @ weights.T).astype(np.float64) + intercept
            updated, loss, gap = _step_through(gram, decision, dual[places], signs[places], C)
            change = (updated - dual[places]) * signs[places]
            weights += change.T.astype(np.float32) @ x
            intercept += change.sum(axis=0)
            dual[places] = updated
            total_loss += loss
            total_gap += gap
        norms = np.einsum("ij,ij->i", weights, weights, dtype=np.float64) + intercept**2
        relative_gap = total_gap / np.maximum(total_loss + norms / 2, np.finfo(float).tiny)
        if (relative_gap <= GAP).all():
            break
    return weights, intercept, dual, relative_gap


def _step_through(gram, decision, dual, signs, C):
    """One step for each row of a batch, with the loss and the duality gap before the steps."""
    gram = gram.astype(np.float64) + 1.0
    total_loss, total_gap = np.zeros((2, decision.shape[1]))
    upper = C * np.abs(signs)
    for r, squared_norm in enumerate(gram.diagonal()):
        shortfall = 1.0 - signs[r] * decision[r]
        loss = upper[r] * np.maximum(shortfall, 0.0)
        total_loss += loss
        total_gap += loss - dual[r] * shortfall
        updated = np.clip(dual[r] + shortfall / squared_norm, 0.0, upper[r])
        decision[r:] += gram[r:, r, None] * ((updated - dual[r]) * signs[r])
        dual[r] = updated
    return dual, total_loss, total_gap


class SDCASolver:
    """Linear classifiers for several parts of the rows, fitted in the same passes."""

    def __init__(self, C, multiclass, seed):
        self.C = C
        self.multiclass = multiclass
        self.seed = seed

    def fit(self, rows, y, parts):
        """Fit one multiclass classifier for each of `parts`, which are places of rows."""
        self.classes_, index = np.unique(y, return_inverse=True)
        signs = self._make_signs(index)
        places = np.arange(len(y))
        signs_of_parts = np.hstack([signs * np.isin(places, part)[:, None] for part in parts])
        weights, intercept, dual, self.gap_ = solve_sdca(rows, signs_of_parts, self.C, self.seed)
        columns = split_range(signs_of_parts.shape[1], signs.shape[1])
        self.functions_ = [LinearDecisionFunction(weights[s], intercept[s]) for s in columns]
        self.support_ = [np.flatnonzero(dual[:, s].any(axis=1)) for s in columns]

    def _make_signs(self, index):
        """Return the side of each row in each binary classifier; 0 for excluded rows."""
        k = len(self.classes_)
        member = np.eye(k, dtype=np.int8)[index]
        if k == 2:
            return member[:, 1:] - member[:, :1]
        if self.multiclass == "ovr":
            return 2 * member - np.int8(1)
        first, second = np.triu_indices(k, 1)  # order and sides of `sum_votes_and_margins`
        return member[:, first] - member[:, second]

    def decision_function(self, rows, part, places):
        """Compute decision values by the fit on one part, (m, k), or (m,) with two classes."""
        function = self.functions_[part]
        batches = rows.iterate_batches(places, rows.read_rows)
        return np.concatenate([function.decision_function(x) for _, x in batches])

    def fit_folds(self, rows, y, folds):
        """Fit on the training rows of all folds, and return classes and decisions on test rows."""
        self.fit(rows, y, [train for train, _ in folds])
        tests = enumerate(test for _, test in folds)
        return self.classes_, [self.decision_function(rows, part, test) for part, test in tests]


class StreamedSVC(BaseSVM):
    """Linear support vector machine for more rows than have a Gram matrix in memory.

    The objective is that of ``GramSVC(kernel="linear")`` with the squared intercept added to the
    squared norm of the weights. The fit stops at the relative duality gap ``GAP`` or after
    ``PASSES`` passes. The rows are read in batches in a seeded order; the fit on all rows and those
    of the folds share each batch. Parameters and attributes are those of `BaseSVM`; the kernel is
    linear.

    Attributes
    ----------
    gap_ : float
        Largest relative duality gap.

    Examples
    --------
    >>> y = np.repeat(["Lotus", "Tulip"], 20)
    >>> X = np.random.default_rng(0).normal(size=(40, 3)) + 2 * (y == "Tulip")[:, None]
    >>> StreamedSVC().fit(X, y).predict([[0, 0, 0], [2, 2, 2]])
    array(['Lotus', 'Tulip'], dtype='<U5')
    """

    def __init__(  # noqa: PLR0913, scikit-learn requires one argument per parameter
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
        """Fit like `GramSVC.fit`; X is an array or an `OutOfCoreMatrix`.

        Raises
        ------
        BadInput
            If the kernel is not linear, or as in `GramSVC.fit`.
        """
        if self.kernel != "linear":
            remedy = "set train_svm.kernel to linear, or train_svm.solver to gram"
            raise BadInput(f"solver sgd has no kernel {self.kernel}: {remedy}")
        if isinstance(X, OutOfCoreMatrix):
            self.n_features_in_ = X.shape[1]
            y = np.asarray(y)
        else:
            X, y = validate_data(self, X, y)
            X = OutOfCoreMatrix([(X, np.arange(len(X)))])
        check_classification_targets(y)
        folds = self._make_folds(y, groups)
        with threadpool_limits(1, "blas"):
            rows, gamma = self._standardise_rows(X)
            tuning = self._choose_params(y, folds, rows, gamma)
            ((_, solver, scaled),) = self._make_candidates(rows, [self.C_], self.gamma_)
            self._fit_calibrated(solver, scaled, y, folds)
        if tuning:
            self.out_of_fold_accuracy_ = tuning.nested_accuracy
        return self

    def summarise_fit(self):
        """Return the figures of the fit by name, with the duality gap."""
        return super().summarise_fit() | {"gap": self.gap_}

    def _standardise_rows(self, X):
        """Standardise the rows; return them and the factor that makes their mean squared norm 1."""
        order = np.arange(len(X))
        if self.standardise:
            scaler = StandardScaler()
            for _, x in X.iterate_batches(order, X.read_rows):
                scaler.partial_fit(x)
            mean = scaler.mean_.astype(np.float32)
            factor = (1.0 / scaler.scale_).astype(np.float32)
            X = OutOfCoreMatrix(X.sources, mean, factor)
        batches = X.iterate_batches(order, X.read_with_gram)
        norms = sum(float(gram.trace(dtype=float)) for _, (_, gram) in batches)
        if not norms > 0:
            raise BadInput(CONSTANT_FEATURES)
        return X, len(X) / norms

    def _make_candidates(self, rows, Cs, gamma):
        factor = np.ones(rows.shape[1]) if rows.factor is None else rows.factor
        factor = (factor * np.sqrt(gamma)).astype(np.float32)
        scaled = OutOfCoreMatrix(rows.sources, rows.mean, factor)
        return ((C, SDCASolver(C, self.multiclass, self.seed), scaled) for C in Cs)

    def _fit_folds(self, solver, rows, y, folds):
        """Fit on the training rows of each fold and, as the last part, on all rows."""
        solver.fit(rows, y, [train for train, _ in folds] + [np.arange(len(y))])
        decisions = [solver.decision_function(rows, k, test) for k, (_, test) in enumerate(folds)]
        self.support_ = solver.support_[-1]
        self.gap_ = float(solver.gap_.max())
        function = solver.functions_[-1]
        coef = function.coef_.astype(np.float64) * rows.factor
        intercept = function.intercept_ - (0.0 if rows.mean is None else coef @ rows.mean)
        fitted = LinearDecisionFunction(coef.astype(np.float32), intercept)
        return fitted, restore_row_order(decisions, folds)
