"""RBF support vector machine trained from one Gram matrix."""

import numpy as np
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.learning.calibration import Calibrated, argmax_labels
from flowers.learning.kernels import blocks, moments, rbf, squared_distances, squared_distances_to
from flowers.learning.tuning import Tuning, as_list


def votes_and_margins(pairwise):
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
    return gain @ np.eye(k)[first] + loss @ np.eye(k)[second]


class GramSVC(Calibrated):
    """RBF support vector machine on standardised features, trained from one Gram matrix.

    The kernel matrix is computed once; the fit on all rows and the folds of the calibration are
    sub-matrices of it. Standardisation and kernel therefore see all training rows, also those a
    fold holds out; labels are held out, and test rows never enter. Features stay in their own
    dtype (uint8 pixels too) in the fitted model, which keeps the support vectors alone.

    Parameters
    ----------
    C : float, > 0, or list of float
        Regularisation of ``sklearn.svm.SVC``. From lists of `C` and `gamma` the fit chooses, on
        its folds, and then ``held_out_accuracy_`` is that of `Tuning.nested_accuracy`.
    gamma : "scale" or float, > 0, or list of them
        Kernel width on standardised features; "scale" is 1 / (d * variance), as in ``SVC``.
    calibration : {"temperature", "sigmoid", "isotonic"}
        Method of ``CalibratedClassifierCV`` (Guo et al. 2017; Platt 1999; Zadrozny & Elkan 2002).
    folds : int, >= 2
        Grouped folds whose held-out decision values calibrate the probabilities.
    seed : int
        Seed of the folds.

    Attributes
    ----------
    C_, gamma_ : float
        What the machine was fitted with.
    tuning_ : list of dict
        `Tuning.table`; empty where there was nothing to choose.
    """

    def __init__(self, C=1.0, gamma="scale", calibration="temperature", folds=5, seed=0):
        self.C = C
        self.gamma = gamma
        self.calibration = calibration
        self.folds = folds
        self.seed = seed

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
        self.mean_, self.scale_ = moments(X)
        distances, norms = squared_distances(X, self.mean_, self.scale_)
        tuning = self._tuning(X, y, groups, distances)
        gram = rbf(distances, self.gamma_)
        self._calibrate(self._machine(self.C_), gram, y, groups)
        if tuning:
            self.held_out_accuracy_ = tuning.nested_accuracy
        self.n_rows_ = len(X)
        self.support_ = self.machine_.support_
        self.support_vectors_ = np.ascontiguousarray(X[self.support_])
        self.support_norms_ = norms[self.support_]
        return self

    def _machine(self, C):
        return SVC(kernel="precomputed", C=C, decision_function_shape="ovo")

    def _tuning(self, X, y, groups, distances):
        """Set ``C_`` and ``gamma_``, chosen where there are several."""
        Cs, gammas = as_list(self.C), [self._gamma(X, gamma) for gamma in as_list(self.gamma)]
        self.C_, self.gamma_, self.tuning_ = Cs[0], gammas[0], []
        if len(Cs) * len(gammas) == 1:
            return None
        tuning = Tuning(y, groups, self.folds, self.seed)
        for gamma in gammas:
            gram = rbf(distances.copy(), gamma)
            for C in Cs:
                tuning.attempt({"C": C, "gamma": gamma}, self._machine(C), gram, self._labels)
        self.C_, self.gamma_ = tuning.chosen["C"], tuning.chosen["gamma"]
        self.tuning_ = tuning.table
        return tuning

    def _labels(self, classes, decision):
        return argmax_labels(classes, self._values(decision))

    def _gamma(self, X, gamma):
        if gamma != "scale":
            return float(gamma)
        # A standardised column has variance 1, a constant one 0.
        varying = sum(int((X[:, b] != X[0, b]).any(axis=0).sum()) for b in blocks(X.shape[1]))
        return 1.0 / varying if varying else 1.0

    def _values(self, decision):
        return decision if decision.ndim == 1 else votes_and_margins(decision)

    def _rows(self, X):
        """Kernel values to the training rows; those that are no support vector are never read."""
        kernel = np.zeros((len(X), self.n_rows_), dtype=np.float32)
        distances = squared_distances_to(
            X, self.support_vectors_, self.support_norms_, self.mean_, self.scale_
        )
        kernel[:, self.support_] = rbf(distances, self.gamma_)
        return kernel
