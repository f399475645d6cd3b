"""Calibration of classifiers on grouped out-of-fold decision values."""

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from flowers.base.errors import BadInput
from flowers.base.parallel import max_workers_for, track, use_threads
from flowers.learning.folds import (
    fit_fold,
    fold_copy_bytes,
    make_grouped_folds,
    number_groups,
    restore_row_order,
)

CONSTANT_FEATURES = (
    "all images, or all outside a fold, have the same features: set flatten.features to others"
)


class PrecomputedDecision(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its decision values, so that only calibration is fitted."""

    def fit(self, X, y):
        """Store the classes."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        """Return the decision values."""
        return X[:, 0] if X.shape[1] == 1 else X

    def predict(self, X):
        """Return the class of the highest decision value."""
        return choose_labels(self.classes_, X)


def to_columns(decision):
    """Reshape decision values to one column per class, or a single one with two classes."""
    return decision[:, None] if decision.ndim == 1 else decision


def choose_labels(classes, decision):
    """Return the class of the highest decision value of each row."""
    decision = to_columns(decision)
    binary = decision.shape[1] == 1
    return classes[(decision[:, 0] > 0).astype(int) if binary else decision.argmax(axis=1)]


class CalibratedClassifier(ClassifierMixin, BaseEstimator):
    """Base class of classifiers with grouped calibration.

    A subclass has the parameters ``calibration``, ``folds`` and ``seed``; its classifier can be
    cloned and has ``fit`` and ``decision_function``. A subclass calls `_make_folds` and
    `_fit_calibrated` in `fit`. It may override `_prepare_rows`, from features to the input of its
    classifier, and `_combine_decision`, from the classifier's decision values to one value per
    class.

    Attributes
    ----------
    classifier_ : object with a ``decision_function``
    out_of_fold_accuracy_ : float
    out_of_fold_decision_ : ndarray of shape (n, n_classes), or (n, 1) with two classes
        Decision values of the training rows, each from a fit without its fold. They describe the
        fit and are not written to a file.
    """

    def __getstate__(self):
        """Leave out what only describes the fit."""
        state = super().__getstate__()
        return {key: value for key, value in state.items() if key != "out_of_fold_decision_"}

    def describe(self):
        """Return the name of the classifier, for people."""
        return type(self).__name__

    def _make_folds(self, y, groups):
        classes = np.unique(y)
        if len(classes) < 2:
            raise BadInput(f"all photos are of 1 class, {str(classes[0])!r}: add another class")
        return make_grouped_folds(y, number_groups(groups, len(y)), self.folds, self.seed)

    def _fit_calibrated(self, classifier, X, y, folds):
        """Fit the classifier on all rows, the calibration on out-of-fold decision values."""
        self.classes_, index = np.unique(y, return_inverse=True)
        self.classifier_, decision = self._fit_folds(classifier, X, y, folds)
        decision = to_columns(self._combine_decision(decision))
        self.out_of_fold_accuracy_ = float(np.mean(choose_labels(self.classes_, decision) == y))
        self.out_of_fold_decision_ = decision
        # Numbered labels: temperature scaling uses integer labels as column numbers, unchecked.
        self.calibration_ = CalibratedClassifierCV(
            FrozenEstimator(PrecomputedDecision().fit(decision, index)),
            method=self.calibration,
            cv=folds,
            ensemble=False,
        ).fit(decision, index)

    def _fit_folds(self, classifier, X, y, folds):
        """Return the classifier fitted on all rows, and out-of-fold decision values."""
        # The fit on all rows takes longest, so it starts first.
        tasks = [joblib.delayed(classifier.fit)(X, y)]
        tasks += [joblib.delayed(fit_fold)(classifier, X, y, *fold) for fold in folds]
        workers = max_workers_for(fold_copy_bytes(classifier, X, folds))
        with use_threads():
            results = joblib.Parallel(workers, return_as="generator")(tasks)
            fitted, *results = track(results, len(tasks), "fits")
        return fitted, restore_row_order([decision for _, decision in results], folds)

    def _prepare_rows(self, X):
        return X

    def _combine_decision(self, decision):
        return decision

    def decision_function(self, X):
        """Compute decision values before calibration.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) with two classes, float64
        """
        check_is_fitted(self)
        rows = self._prepare_rows(validate_data(self, X, reset=False))
        return self._combine_decision(self.classifier_.decision_function(rows))

    def predict_proba(self, X):
        """Compute calibrated class probabilities, as `calibrate_decision`, of rows (n, d)."""
        return self.calibrate_decision(self.decision_function(X))

    def calibrate_decision(self, decision):
        """Convert decision values to calibrated class probabilities.

        Returns
        -------
        ndarray of shape (n, n_classes), float64, rows sum to 1
            Columns in the order of ``classes_``.
        """
        return self.calibration_.predict_proba(to_columns(decision))

    def predict(self, X):
        """Return the class of the highest calibrated probability."""
        index = self.predict_proba(X).argmax(axis=1)
        return self.classes_[index]
