"""Support vector machines trained from one Gram matrix."""

import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.base.errors import BadInput
from flowers.base.parallel import drop_pages
from flowers.learning.calibration import CONSTANT_FEATURES, CalibratedClassifier, choose_labels
from flowers.learning.gram import (
    GRAM_ROWS,
    apply_rbf,
    compute_distances_to,
    compute_gram,
    compute_squared_distances,
)
from flowers.learning.linear import compute_dual_coefficients, to_primal
from flowers.learning.standardisation import compute_moments, split_range
from flowers.learning.tuning import Tuning, to_list

CACHE_MB = 50  # of kernel values in libsvm: small, as they are in memory already


def sum_votes_and_margins(pairwise):
    """Compute one value per class from the decision values of all pairs of classes.

    The number of pairs that a class wins, plus a third of the sum of its margins. scikit-learn's
    "ovr" values squash that sum so that it only breaks ties; then all rows whose winner takes all
    its pairs get nearly the same confidence. Without the squashing, a label differs from
    ``SVC.predict`` only where margins outweigh a whole vote.

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


def choose_solver(solver, kernel, rows):
    """Choose "gram" or "sgd" if `solver` is "auto": sgd, which is linear, above ``GRAM_ROWS``."""
    if solver != "auto":
        return solver
    return "sgd" if kernel == "linear" and rows > GRAM_ROWS else "gram"


class BaseSVM(CalibratedClassifier):
    """Base class of support vector machines: parameters, tuning and decision values.

    A subclass yields the value of C, the base classifier and its input in `_make_candidates`.

    Parameters
    ----------
    C : float, > 0, or list of float
        Regularisation of ``sklearn.svm.SVC``. From lists of `C` and `gamma` the fit chooses by
        cross-validation, and ``out_of_fold_accuracy_`` is `Tuning.nested_accuracy`.
    kernel : {"rbf", "linear"}
    gamma : "scale" or float, > 0, or list of them
        Factor of the RBF kernel, as in ``SVC``: "scale" is 1 / (d * variance). The linear kernel is
        multiplied by it: "scale" makes the mean squared norm of a row 1, so that C means the same
        for features of any length.
    standardise : bool
        Whether to scale each feature to zero mean and unit variance first.
    multiclass : {"ovo", "ovr"}
        One against one, or one against the rest.
    calibration : {"temperature", "sigmoid", "isotonic"}
        Method of ``CalibratedClassifierCV`` (Guo et al. 2017; Platt 1999; Zadrozny & Elkan 2002).
    folds : int, >= 2
        Grouped folds of the calibration and of the tuning.
    seed : int
        Seed of the folds, and of the order of rows where the solver has one.

    Attributes
    ----------
    C_, gamma_ : float
        Chosen values.
    support_ : ndarray of int
        Training rows on which the decision values depend.
    tuning_ : list of dict
        `Tuning.table`; empty without lists.
    """

    def __init__(  # noqa: PLR0913, scikit-learn requires one argument per parameter
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
        """Return the figures of the fit by name."""
        return {
            "features": self.n_features_in_,
            "support_vectors": len(self.support_),
            "C": self.C_,
            "gamma": self.gamma_,
            "candidates": max(len(self.tuning_), 1),
            "out_of_fold_accuracy": self.out_of_fold_accuracy_,
        }

    def list_candidates(self):
        """Return the rows of ``tuning_``, or without lists one row of the same form."""
        single = {"C": self.C_, "gamma": self.gamma_, "grouped": self.out_of_fold_accuracy_}
        return self.tuning_ or [single | {"random": "", "chosen": 1}]

    def _choose_params(self, y, folds, rows, scale):
        """Set ``C_``, ``gamma_`` and ``tuning_``; return the tuning, None without lists."""
        Cs = to_list(self.C)
        gammas = [scale if gamma == "scale" else float(gamma) for gamma in to_list(self.gamma)]
        self.C_ = Cs[0]
        self.gamma_ = gammas[0]
        self.tuning_ = []
        if len(Cs) * len(gammas) == 1:
            return None
        tuning = Tuning(y, folds, self.seed)
        for gamma in gammas:
            for C, classifier, X in self._make_candidates(rows, Cs, gamma):
                tuning.evaluate_candidate({"C": C, "gamma": gamma}, classifier, X, self._to_labels)
        self.C_, self.gamma_ = tuning.best_params.values()
        self.tuning_ = tuning.table
        return tuning

    def _to_labels(self, classes, decision):
        return choose_labels(classes, self._combine_decision(decision))

    def _combine_decision(self, decision):
        pairwise = self.multiclass == "ovo" and decision.ndim == 2
        return sum_votes_and_margins(decision) if pairwise else decision


class GramSVC(BaseSVM):
    """Support vector machine trained from one Gram matrix.

    The kernel matrix is computed once; the fit on all rows and those of the folds use sub-matrices
    of it. Standardisation and kernel therefore depend on all training rows, including those that a
    fold leaves out; the labels of these and all test rows are never used. With the RBF kernel the
    fitted model keeps the support vectors in the dtype of the features (uint8 for pixels), with the
    linear kernel one weight vector per decision value. Parameters and attributes: see `BaseSVM`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["Lotus", "Tulip"], 20)
    >>> X = rng.normal(size=(40, 3)) + 2 * (y == "Tulip")[:, None]
    >>> groups = np.arange(40) // 2  # pairs of near-duplicates
    >>> model = GramSVC().fit(X, y, groups)
    >>> model.predict([[0, 0, 0], [2, 2, 2]])
    array(['Lotus', 'Tulip'], dtype='<U5')
    >>> model.predict_proba([[0, 0, 0], [2, 2, 2]]).round(1)
    array([[1., 0.],
           [0., 1.]])
    """

    def fit(self, X, y, groups=None):
        """Fit the classifier and its calibration.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype
        y : array-like of shape (n,)
        groups : array-like of shape (n,), optional
            All rows of a group are in one fold; default: each row is its own group.

        Raises
        ------
        BadInput
            If there is one class only, or a class has fewer groups than `folds`.
        """
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        folds = self._make_folds(y, groups)
        unscaled = np.zeros(X.shape[1]), np.ones(X.shape[1])
        mean, scale = compute_moments(X) if self.standardise else unscaled
        if self.kernel == "linear":
            base, norms = compute_gram(X, mean, scale)
            gamma = 1.0 / max(norms.mean(), np.finfo(float).tiny)
        else:
            base, norms = compute_squared_distances(X, mean, scale)
            gamma = _compute_rbf_scale(X, self.standardise)
        if not norms.any():
            raise BadInput(CONSTANT_FEATURES)
        drop_pages(X)  # libsvm needs the kernel only
        tuning = self._choose_params(y, folds, base, gamma)
        kernel = self._to_kernel(base, self.gamma_)
        del base
        self._fit_calibrated(self._make_classifier(self.C_), kernel, y, folds)
        del kernel
        if tuning:
            self.out_of_fold_accuracy_ = tuning.nested_accuracy
        self._compress_classifier(X, mean, scale, norms)
        return self

    def _compress_classifier(self, X, mean, scale, norms):
        """Keep the support vectors, or with the linear kernel the weight vectors."""
        fitted = getattr(self.classifier_, "estimators_", [self.classifier_])
        support = [svc.support_ for svc in fitted]
        self.support_ = np.unique(np.concatenate(support)) if len(fitted) > 1 else support[0]
        if self.kernel == "linear":
            dual, intercept = compute_dual_coefficients(self.classifier_.decision_function, len(X))
            self.classifier_ = to_primal(X, mean, scale, dual * self.gamma_, intercept)
        else:
            self.mean_ = mean
            self.scale_ = scale
            self.n_rows_ = len(X)
            self.support_vectors_ = np.ascontiguousarray(X[self.support_])
            self.support_norms_ = norms[self.support_]

    def _make_classifier(self, C):
        svc = SVC(kernel="precomputed", C=C, decision_function_shape="ovo", cache_size=CACHE_MB)
        return OneVsRestClassifier(svc) if self.multiclass == "ovr" else svc

    def _to_kernel(self, base, gamma):
        """Convert products or squared distances to kernel values; the input is overwritten.

        In float64, the dtype of libsvm: fits that run in parallel share them.
        """
        if self.kernel == "rbf":
            return apply_rbf(base, gamma).astype(np.float64)
        base *= np.float32(gamma)
        return base.astype(np.float64)

    def _make_candidates(self, base, Cs, gamma):
        kernel = self._to_kernel(base.copy(), gamma)
        return ((C, self._make_classifier(C), kernel) for C in Cs)

    def _prepare_rows(self, X):
        """Kernel values to the training rows; 0 for those that are no support vectors."""
        if self.kernel == "linear":
            return X
        kernel = np.zeros((len(X), self.n_rows_), dtype=np.float32)
        support = self.support_vectors_, self.support_norms_
        distances = compute_distances_to(X, *support, self.mean_, self.scale_)
        kernel[:, self.support_] = apply_rbf(distances, self.gamma_)
        return kernel


def _compute_rbf_scale(X, standardise):
    """1 / (d * variance), the variance of all entries after standardisation."""
    blocks = split_range(X.shape[1])
    constant = np.concatenate([(X[:, b] == X[0, b]).all(axis=0) for b in blocks])
    if standardise:
        # A standardised column has variance 1, a constant one 0.
        varying = int((~constant).sum())
        return 1.0 / varying if varying else 1.0
    mean, scale = compute_moments(X)
    spread = np.where(constant, 0.0, scale**2) + (mean - mean.mean()) ** 2
    return 1.0 / spread.sum() if spread.any() else 1.0
