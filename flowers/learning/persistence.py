"""Fitted estimators as files."""

import joblib

from flowers.base.tables import atomic_write


def save_model(estimator, path):
    """Write a fitted estimator, uncompressed, so that its arrays can be mapped."""
    with atomic_write(path) as partial:
        joblib.dump(estimator, partial, protocol=5)


def load_model(path, mapped=False):
    """Read an estimator that this project wrote; a pickle can run code, so no other.

    Parameters
    ----------
    path : path-like
    mapped : bool
        Whether its arrays stay in the file, and are read from there when they are needed: in less
        time, for one who answers once. The file must not change meanwhile.

    Returns
    -------
    GramSVC, StreamedSVC or CalibratedNB
    """
    import_classes()
    return joblib.load(path, mmap_mode="r" if mapped else None)


def import_classes():
    """Import what estimators in files are made of.

    A pickle only names its classes: here a reader of files sees what loading one needs, and
    scikit-learn costs a second only where a model is loaded.
    """
    from flowers.learning import naive_bayes, sdca, svm  # noqa: F401
