"""A linear support vector machine for training rows whose Gram matrix outgrows the memory."""

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data
from threadpoolctl import threadpool_limits

from flowers.base.errors import BadInput
from flowers.learning.ascent import Ascent
from flowers.learning.folds import in_order
from flowers.learning.linear import Hyperplanes
from flowers.learning.rows import Rows
from flowers.learning.svm import SVM


class StreamedSVC(SVM):
    """Linear support vector machine for more rows than have a Gram matrix in memory.

    Minimises what ``GramSVC(kernel="linear")`` does, but for the bias, whose square counts as that
    of a weight, and stops within 5 % of the least objective or after 50 passes. The rows are read
    in batches in a seeded order; the fit on all rows and those of the calibration's folds share
    each batch. Knobs and attributes are those of `SVM`; the kernel is linear.

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
        if isinstance(X, Rows):
            self.n_features_in_, y = X.shape[1], np.asarray(y)
        else:
            X, y = validate_data(self, X, y)
            X = Rows([X], np.arange(len(X)))
        check_classification_targets(y)
        with threadpool_limits(1, "blas"):
            rows, width = self._prepared(X)
            tuning = self._tuning(y, groups, rows, width)
            ((_, machine, seen),) = self._attempts(rows, [self.C_], self.gamma_)
            self._calibrate(machine, seen, y, groups)
        if tuning:
            self.out_of_fold_accuracy_ = tuning.nested_accuracy
        return self

    def figures(self):
        """Say what `SVM` does, and how far from the least objective the fit may have ended."""
        return super().figures() | {"gap": self.gap_}

    def _prepared(self, X):
        """Rows as they are standardised, and what makes their squared length 1 on average."""
        every = np.arange(len(X))
        if self.standardise:
            scaler = StandardScaler()
            for _, x in X.read(every):
                scaler.partial_fit(x)
            mean, factor = scaler.mean_.astype(np.float32), 1.0 / scaler.scale_
            X = Rows(X.sources, X.numbers, mean, factor.astype(np.float32))
        lengths = sum(float(products.trace(dtype=float)) for *_, products in X.batches(every))
        return X, len(X) / max(lengths, np.finfo(float).tiny)

    def _attempts(self, rows, Cs, gamma):
        factor = np.ones(rows.shape[1]) if rows.factor is None else rows.factor
        factor = (factor * np.sqrt(gamma)).astype(np.float32)
        seen = Rows(rows.sources, rows.numbers, rows.mean, factor)
        return ((C, Ascent(C, self.multiclass, self.seed), seen) for C in Cs)

    def _fits(self, machine, rows, y, folds):
        """One fit for all: the last part is of all rows."""
        every = np.arange(len(y))
        machine.fit(rows, y, [known for known, _ in folds] + [every])
        parts = [machine.decided(rows, part, places) for part, (_, places) in enumerate(folds)]
        decision = in_order(parts, folds)
        self.support_, self.gap_ = machine.support_[-1], float(machine.gap_.max())
        planes = machine.planes_[-1]
        coef = planes.coef_.astype(np.float64) * rows.factor
        offset = planes.intercept_ - (0.0 if rows.mean is None else coef @ rows.mean)
        return Hyperplanes(coef.astype(np.float32), offset), decision

    def _rows(self, X):
        return X
