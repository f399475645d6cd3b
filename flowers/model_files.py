"""Load a fitted model; the estimators are imported here because a pickle only names them."""

import joblib

from flowers.learning import (
    svm,  # noqa: F401
)


def load(path):
    """The estimator of a file that this project wrote; a pickle can run code, so no other.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    GramSVC or CalibratedNB
    """
    return joblib.load(path)
