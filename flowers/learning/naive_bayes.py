"""Gaussian naive Bayes with calibrated probabilities, on features or on what they reduce to."""

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from flowers.learning.calibration import Calibrated
from flowers.learning.likelihoods import LogLikelihoods
from flowers.learning.linear import collapsed, duals
from flowers.learning.products import products
from flowers.learning.standard import blocks


class CalibratedNB(Calibrated):
    """Gaussian naive Bayes with probabilities calibrated on grouped folds.

    Parameters
    ----------
    var_smoothing : float, >= 0
        Share of the largest feature variance added to all variances, as in ``GaussianNB``.
    reduce : {"none", "pca", "lda"}
        What the features become first: nothing else, their principal components, or the
        directions that tell the classes apart best among these components. Learnt from the
        training rows of each fold, from one Gram matrix of all of them, and kept as one weight
        vector per direction.
    components : int, >= 1
        Principal components of "pca" and "lda"; fewer where there are fewer rows.
    calibration, folds, seed
        As in `GramSVC`; the seed is also that of the components' search.
    """

    def __init__(
        self,
        var_smoothing=1e-9,
        reduce="none",
        components=200,
        calibration="temperature",
        folds=5,
        seed=0,
    ):
        self.var_smoothing = var_smoothing
        self.reduce = reduce
        self.components = components
        self.calibration = calibration
        self.folds = folds
        self.seed = seed

    def fit(self, X, y, groups=None):
        """Fit the classes' Gaussians and the calibration; see `GramSVC.fit`."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        machine = LogLikelihoods(self.var_smoothing)
        if self.reduce == "none":
            self._calibrate(machine, X, y, groups)
            return self
        mean = np.concatenate([X[:, b].mean(axis=0, dtype=float) for b in blocks(X.shape[1])])
        scale = np.ones_like(mean)
        gram, norms = products(X, mean, scale)
        size = norms.mean() or 1.0
        self._calibrate(self._reduced(machine), gram / np.float32(size), y, groups)
        directions = self.machine_[:-1]
        weights, offset = duals(directions.transform, len(X))
        self.directions_ = collapsed(X, mean, scale, weights / size, offset)
        self.machine_ = self.machine_[-1]
        return self

    def _reduced(self, machine):
        """Put a reduction before the machine, for rows of a linear kernel."""
        components = KernelPCA(
            self.components,
            kernel="precomputed",
            eigen_solver="randomized",
            remove_zero_eig=True,
            random_state=self.seed,
        )
        steps = [("components", components)]
        if self.reduce == "lda":
            steps.append(("directions", LinearDiscriminantAnalysis()))
        return Pipeline([*steps, ("machine", machine)])

    def _fits(self, machine, rows, y, folds):
        if self.reduce != "none":
            return super()._fits(machine, rows, y, folds)
        return machine, machine.fit_with_folds(rows, y, folds)

    def _rows(self, X):
        if self.reduce == "none":
            return X
        values = self.directions_.decision_function(X)
        return values[:, None] if values.ndim == 1 else values
