"""The few figures of a run that are compared from run to run."""

import numpy as np

from flowers.splits import measure_leakage


def headline(figures, groups, test, model_bytes):
    """Give the figures that say at a glance what a run is worth.

    Parameters
    ----------
    figures : dict of model name to dict
        With ``svm`` and ``nb``, from `flowers.evaluation.scores.scores`.
    groups : ndarray of shape (n,)
        Of all photos; twins share one.
    test : ndarray of shape (n,), bool
    model_bytes : int
        Size of the SVM's file.

    Returns
    -------
    dict of str to int or float
        Ten figures under short names, which are columns of a table. ``leak`` is the share of the
        test photos with a twin in train, ``svm`` and ``nb`` are accuracies, ``svm_low`` and
        ``svm_high`` the ends of its interval; ``log_loss``, ``ece`` (calibration error) and
        ``model_mb`` are of the SVM.
    """
    svm = figures["svm"]
    return {
        "photos": len(groups),
        "distinct": len(np.unique(groups)),
        "leak": measure_leakage(groups, test),
        "svm": svm["accuracy"],
        "svm_low": svm["accuracy_low"],
        "svm_high": svm["accuracy_high"],
        "nb": figures["nb"]["accuracy"],
        "log_loss": svm["log_loss"],
        "ece": svm["calibration_error"],
        "model_mb": model_bytes / 1e6,
    }
