"""Calibration on grouped folds, and answers by the highest calibrated probability."""

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from flowers.base.errors import BadInput
from flowers.base.parallel import max_workers_for, use_threads
from flowers.learning.folds import fit_fold, fold_copy_bytes, make_grouped_folds, restore_row_order


class PrecomputedDecision(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its decision values: what is left to fit is calibration."""

    def fit(self, X, y):
        """Take note of the classes."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        """Hand on the decision values."""
        return X[:, 0] if X.shape[1] == 1 else X

    def predict(self, X):
        """Name the class of the highest decision value."""
        return choose_labels(self.classes_, X)


def to_columns(values):
    """Decision values with one column per class, or a single one with two classes."""
    return values[:, None] if values.ndim == 1 else values


def choose_labels(classes, values):
    """Give the classes of the highest decision values."""
    values = to_columns(values)
    index = (values[:, 0] > 0).astype(int) if values.shape[1] == 1 else values.argmax(axis=1)
    return classes[index]


class CalibratedClassifier(ClassifierMixin, BaseEstimator):
    """What both classifiers share: grouped calibration, and answers by probability.

    A subclass gives the classifier and its input to `_calibrate` in `fit`, turns photos into such
    input in `_rows`, and may turn the classifier's decision values into others in `_values`.

    Attributes
    ----------
    out_of_fold_accuracy_ : float
        Accuracy on the held-out folds.
    out_of_fold_decision_ : ndarray of shape (n, n_classes), or (n, 1) with two classes
        Decision values of the training rows, each from a fit without its fold. They describe the
        fit and are no part of the model: a file does not keep them.
    """

    def __getstate__(self):
        """Leave out what only describes the fit."""
        state = super().__getstate__()
        return {key: value for key, value in state.items() if key != "out_of_fold_decision_"}

    def _calibrate(self, machine, rows, y, groups):
        """Fit the classifier on all rows, the calibration on what held-out folds are given."""
        classes, index = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise BadInput(f"all photos are of 1 class, {str(classes[0])!r}: add another class")
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        folds = make_grouped_folds(y, groups, self.folds, self.seed)
        self.classifier_, decision = self._fits(machine, rows, y, folds)
        decision = self._values(decision)
        self.classes_ = classes
        self.out_of_fold_accuracy_ = float(np.mean(choose_labels(classes, decision) == y))
        self.out_of_fold_decision_ = decision = to_columns(decision)
        # Numbered labels: temperature scaling takes integers for column numbers, unchecked.
        self.calibration_ = CalibratedClassifierCV(
            FrozenEstimator(PrecomputedDecision().fit(decision, index)),
            method=self.calibration,
            cv=folds,
            ensemble=False,
        ).fit(decision, index)

    def _fits(self, machine, rows, y, folds):
        """Give the classifier fitted on all rows, and what those without its fold say of a row."""
        # The fit on all rows takes longest, and starts first.
        tasks = [joblib.delayed(machine.fit)(rows, y)]
        tasks += [joblib.delayed(fit_fold)(machine, rows, y, *fold) for fold in folds]
        with use_threads():
            fitted, *told = joblib.Parallel(max_workers_for(fold_copy_bytes(machine, rows, folds)))(
                tasks
            )
        return fitted, restore_row_order([values for _, values in told], folds)

    def _values(self, decision):
        return decision

    def _validated(self, X):
        check_is_fitted(self)
        return validate_data(self, X, reset=False)

    def decision_function(self, X):
        """Decision values before calibration.

        Parameters
        ----------
        X : ndarray of shape (n, d), any real dtype

        Returns
        -------
        ndarray of shape (n, n_classes), or (n,) with two classes, float64
        """
        rows = self._rows(self._validated(X))
        return self._values(self.classifier_.decision_function(rows))

    def predict_proba(self, X):
        """Calibrated class probabilities, columns in the order of ``classes_``.

        Returns
        -------
        ndarray of shape (n, n_classes), float64, rows sum to 1
        """
        return self.calibrate_decision(self.decision_function(X))

    def calibrate_decision(self, decision):
        """Calibrated class probabilities of decision values.

        Parameters
        ----------
        decision : ndarray of shape (n, n_classes), or (n,) with two classes
            From `decision_function`.

        Returns
        -------
        ndarray of shape (n, n_classes), float64, rows sum to 1
        """
        return self.calibration_.predict_proba(to_columns(decision))

    def predict(self, X):
        """Give the class of the highest calibrated probability."""
        index = self.predict_proba(X).argmax(axis=1)
        return self.classes_[index]
