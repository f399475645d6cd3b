"""Support vector machines trained from one Gram matrix."""

import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.base.parallel import drop_pages
from flowers.learning.calibration import CalibratedClassifier, choose_labels
from flowers.learning.gram import (
    apply_rbf,
    compute_distances_to,
    compute_gram,
    compute_squared_distances,
)
from flowers.learning.linear import compute_dual_coefficients, to_primal
from flowers.learning.standardisation import compute_moments, split_range
from flowers.learning.tuning import Tuning, to_list

# Megabytes of kernel values that libsvm keeps while it fits: they lie in memory already.
CACHE = 50


def sum_votes_and_margins(pairwise):
    """One value per class from the decision values of all pairs of classes.

    The number of pairs a class wins, plus a third of the sum of its margins. scikit-learn's
    "ovr" values squash that sum so that it only breaks ties; then all photos whose winner takes
    all its pairs get nearly the same confidence, however clear the case. Unsquashed, a label
    differs from ``SVC.predict`` only where margins outweigh a whole vote.

    Parameters
    ----------
    pairwise : ndarray of shape (n, k * (k - 1) / 2)
        In the order (0, 1), (0, 2), ... of ``SVC(decision_function_shape="ovo")``.

    Returns
    -------
    ndarray of shape (n, k), float64
    """
    k = int((1 + np.sqrt(1 + 8 * pairwise.shape[1])) / 2)
    first, second = np.triu_indices(k, 1)
    gain = np.where(pairwise > 0, 1.0, 0.0) + pairwise / 3
    loss = np.where(pairwise > 0, 0.0, 1.0) - pairwise / 3
    values = np.zeros((len(pairwise), k))
    # Column by column: the sums of a product of matrices depend on how many rows it has.
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        values[:, i] += gain[:, pair]
        values[:, j] += loss[:, pair]
    return values


class BaseSVM(CalibratedClassifier):
    """What the ways to train a support vector machine share: params, tuning, values per class.

    A subclass gives its machines and their input in `_attempts`.

    Parameters
    ----------
    C : float, > 0, or list of float
        Regularisation of ``sklearn.svm.SVC``. From lists of `C` and `gamma` the fit chooses, on
        its folds, and then ``out_of_fold_accuracy_`` is that of `Tuning.nested_accuracy`.
    kernel : {"rbf", "linear"}
    gamma : "scale" or float, > 0, or list of them
        Width of the RBF kernel, as in ``SVC``: "scale" is 1 / (d * variance). The linear kernel is
        multiplied by it: "scale" makes a row's product with itself 1 on average, so that C means
        the same for features of any length.
    standardise : bool
        Whether each feature gets zero mean and unit variance first.
    multiclass : {"ovo", "ovr"}
        One classifier for each pair of classes, or for each class against the rest.
    calibration : {"temperature", "sigmoid", "isotonic"}
        Method of ``CalibratedClassifierCV`` (Guo et al. 2017; Platt 1999; Zadrozny & Elkan 2002).
    folds : int, >= 2
        Grouped folds whose held-out decision values calibrate the probabilities.
    seed : int
        Seed of the folds, and of an order where rows have one.

    Attributes
    ----------
    C_, gamma_ : float
        What the machine was fitted with.
    support_ : ndarray of int
        Training rows on which the decision values depend.
    tuning_ : list of dict
        `Tuning.table`; empty where there was nothing to choose.
    """

    def __init__(  # noqa: PLR0913, an estimator's params are its parameters
        self,
        C=1.0,
        kernel="rbf",
        gamma="scale",
        standardise=True,
        multiclass="ovo",
        calibration="temperature",
        folds=5,
        seed=0,
    ):
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.standardise = standardise
        self.multiclass = multiclass
        self.calibration = calibration
        self.folds = folds
        self.seed = seed

    def summarise_fit(self):
        """Say what a fit was made with and came to, by name."""
        return {
            "features": self.n_features_in_,
            "support_vectors": len(self.support_),
            **{"C": self.C_, "gamma": self.gamma_},
            "candidates": max(len(self.tuning_), 1),
            "out_of_fold_accuracy": self.out_of_fold_accuracy_,
        }

    def list_candidates(self):
        """Give rows of `tuning_`, or the one there would be, where nothing was to choose."""
        only = {"C": self.C_, "gamma": self.gamma_, "grouped": self.out_of_fold_accuracy_}
        return self.tuning_ or [only | {"random": "", "chosen": 1}]

    def _tuning(self, y, groups, rows, width):
        """Set ``C_`` and ``gamma_``, chosen where there are several."""
        Cs = to_list(self.C)
        gammas = [width if gamma == "scale" else float(gamma) for gamma in to_list(self.gamma)]
        self.C_, self.gamma_, self.tuning_ = Cs[0], gammas[0], []
        if len(Cs) * len(gammas) == 1:
            return None
        tuning = Tuning(y, groups, self.folds, self.seed)
        for gamma in gammas:
            for C, machine, seen in self._attempts(rows, Cs, gamma):
                tuning.evaluate_candidate({"C": C, "gamma": gamma}, machine, seen, self._labels)
        self.C_, self.gamma_ = tuning.best_params["C"], tuning.best_params["gamma"]
        self.tuning_ = tuning.table
        return tuning

    def _labels(self, classes, decision):
        return choose_labels(classes, self._values(decision))

    def _values(self, decision):
        pairwise = self.multiclass == "ovo" and decision.ndim == 2
        return sum_votes_and_margins(decision) if pairwise else decision


class GramSVC(BaseSVM):
    """Support vector machine trained from one Gram matrix.

    The kernel matrix is computed once; the fit on all rows and the folds of the calibration are
    sub-matrices of it. Standardisation and kernel therefore see all training rows, also those a
    fold holds out; labels are held out, and test rows never enter. With the RBF kernel the fitted
    model keeps the support vectors in the features' own dtype (uint8 pixels too); with the linear
    kernel it keeps one weight vector per decision value. Knobs and attributes are those of `BaseSVM`.
    """

    def fit(self, X, y, groups=None):
        """Fit the machine and its calibration.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype
        y : array-like of shape (n,)
        groups : array-like of shape (n,), optional
            Rows of one group stay in one fold; without it, each row is its own group.

        Raises
        ------
        BadInput
            If a class has fewer groups than `folds`.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        mean, scale = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if self.standardise:
            mean, scale = compute_moments(X)
        if self.kernel == "linear":
            base, norms = compute_gram(X, mean, scale)
            width = 1.0 / max(norms.mean(), np.finfo(float).tiny)
        else:
            base, norms = compute_squared_distances(X, mean, scale)
            width = _rbf_scale(X, self.standardise)
        drop_pages(X)  # the machine sees the kernel alone
        tuning = self._tuning(y, groups, base, width)
        gram = self._kernel(base, self.gamma_)
        del base
        self._calibrate(self._machine(self.C_), gram, y, groups)
        del gram
        if tuning:
            self.out_of_fold_accuracy_ = tuning.nested_accuracy
        machines = getattr(self.classifier_, "estimators_", [self.classifier_])
        self.support_ = machines[0].support_
        if len(machines) > 1:
            self.support_ = np.unique(np.concatenate([m.support_ for m in machines]))
        if self.kernel == "linear":
            weights, offset = compute_dual_coefficients(self.classifier_.decision_function, len(X))
            self.classifier_ = to_primal(X, mean, scale, weights * self.gamma_, offset)
        else:
            self.mean_, self.scale_, self.n_rows_ = mean, scale, len(X)
            self.support_vectors_ = np.ascontiguousarray(X[self.support_])
            self.support_norms_ = norms[self.support_]
        return self

    def _machine(self, C):
        machine = SVC(kernel="precomputed", C=C, decision_function_shape="ovo", cache_size=CACHE)
        return OneVsRestClassifier(machine) if self.multiclass == "ovr" else machine

    def _kernel(self, base, gamma):
        """Make products or squared distances kernel values; what is given is overwritten.

        In float64, as libsvm takes them: machines that are fitted at once share them.
        """
        if self.kernel == "rbf":
            return apply_rbf(base, gamma).astype(np.float64)
        base *= np.float32(gamma)
        return base.astype(np.float64)

    def _attempts(self, base, Cs, gamma):
        gram = self._kernel(base.copy(), gamma)
        return ((C, self._machine(C), gram) for C in Cs)

    def _rows(self, X):
        """Kernel values to the training rows; those that are no support vector are never read."""
        if self.kernel == "linear":
            return X
        kernel = np.zeros((len(X), self.n_rows_), dtype=np.float32)
        distances = compute_distances_to(
            X, self.support_vectors_, self.support_norms_, self.mean_, self.scale_
        )
        kernel[:, self.support_] = apply_rbf(distances, self.gamma_)
        return kernel


def _rbf_scale(X, standardise):
    """1 / (d * variance), the variance that of all entries as the kernel sees them."""
    if standardise:
        # A standardised column has variance 1, a constant one 0.
        varying = sum(int((X[:, b] != X[0, b]).any(axis=0).sum()) for b in split_range(X.shape[1]))
        return 1.0 / varying if varying else 1.0
    mean, scale = compute_moments(X)
    constant = np.concatenate([(X[:, b] == X[0, b]).all(axis=0) for b in split_range(X.shape[1])])
    spread = np.where(constant, 0.0, scale**2) + (mean - mean.mean()) ** 2
    return 1.0 / spread.sum() if spread.any() else 1.0
