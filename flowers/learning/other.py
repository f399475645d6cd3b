"""Any classifier of scikit-learn with probabilities calibrated on grouped folds."""

from contextlib import contextmanager

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data
from threadpoolctl import ThreadpoolController

from flowers.base.errors import BadInput
from flowers.learning.calibration import CalibratedClassifier
from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.learning.standardisation import split_range

ROWS = 1024  # converted to float32 at once
# Least probability whose logarithm is taken. With 15 nearest neighbours on hog and colour of 1,000
# synthetic images the log loss is 0.61; with 0.001 instead of 0.01 it is 0.63, with 1e-6 0.71.
MIN_PROBABILITY = 0.01
# Made once: a search for loaded libraries can deadlock with an import in another thread.
LIBRARIES = ThreadpoolController()
# Methods that decision values are computed from, the first that a classifier has.
METHODS = ("decision_function", "predict_joint_log_proba", "predict_proba", "predict")


@contextmanager
def use_one_thread():
    """Keep a classifier from starting threads, which would change the order of sums."""
    with LIBRARIES.limit(limits=1), joblib.parallel_config("threading", n_jobs=1):
        yield


class DecisionAdapter(ClassifierMixin, BaseEstimator):
    """A classifier that computes one decision value per class by any of ``METHODS``.

    The bits depend neither on the number of threads nor, up to ``BATCH_INVARIANT_ROWS`` rows, on
    the other rows of the batch: the classifier gets such rows one by one.

    Parameters
    ----------
    estimator : scikit-learn classifier
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        """Fit a clone of the classifier on rows as float32."""
        with use_one_thread():
            self.estimator_ = clone(self.estimator).fit(np.asarray(X, np.float32), y)
        self.classes_ = self.estimator_.classes_
        return self

    def decision_function(self, X):
        """Compute decision values (n, n_classes), or (n,) with two classes, float64."""
        parts = split_range(len(X), 1 if len(X) <= BATCH_INVARIANT_ROWS else ROWS)
        with use_one_thread():
            values = [self._compute_decision(np.asarray(X[rows], np.float32)) for rows in parts]
        decision = np.concatenate(values).astype(np.float64)
        if not np.isfinite(decision).all():
            raise BadInput(
                f"{self.estimator} gives decision values that are no finite numbers: change its "
                "parameters, or use another classifier"
            )
        return decision

    def _compute_decision(self, X):
        method = next(name for name in METHODS if hasattr(self.estimator_, name))
        values = getattr(self.estimator_, method)(X)
        if method == "predict":
            values = (values[:, None] == self.classes_).astype(float)
        elif method == "predict_proba":
            values = np.log(np.maximum(values, MIN_PROBABILITY))
        elif method == "predict_joint_log_proba":
            values = values / X.shape[1]
        if values.ndim == 2 and len(self.classes_) == 2:
            return values[:, 1] - values[:, 0]
        return values


class CalibratedOther(CalibratedClassifier):
    """A classifier of scikit-learn with probabilities calibrated on grouped folds.

    Parameters
    ----------
    estimator : scikit-learn classifier
        With ``fit(X, y)`` and ``predict``; cloned. Its decision values are the results of
        ``decision_function``, or else of ``predict_joint_log_proba`` divided by the number of
        features, the logarithms of ``predict_proba``, or 1 for the class of ``predict`` and 0 for
        the others.
    calibration, folds, seed
        As in `flowers.learning.svm.GramSVC`; the seed is that of the folds.

    Examples
    --------
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["Lotus", "Tulip"], 20)
    >>> X = rng.normal(size=(40, 3)) + 2 * (y == "Tulip")[:, None]
    >>> groups = np.arange(40) // 2  # pairs of near-duplicates
    >>> model = CalibratedOther(ExtraTreesClassifier(random_state=0)).fit(X, y, groups)
    >>> model.predict([[0, 0, 0], [2, 2, 2]])
    array(['Lotus', 'Tulip'], dtype='<U5')
    """

    def __init__(self, estimator, calibration="temperature", folds=5, seed=0):
        self.estimator = estimator
        self.calibration = calibration
        self.folds = folds
        self.seed = seed

    def describe(self):
        """Return the class of the classifier with the parameters that differ from its defaults."""
        return " ".join(repr(self.estimator).split())

    def fit(self, X, y, groups=None):
        """Fit the classifier and its calibration; see `flowers.learning.svm.GramSVC.fit`."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        folds = self._make_folds(y, groups)
        self._fit_calibrated(DecisionAdapter(self.estimator), X, y, folds)
        return self
