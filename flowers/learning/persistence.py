"""Fitted estimators as files."""

import joblib

from flowers.base.tables import atomic_write


def save_model(estimator, path):
    """Write a fitted estimator, uncompressed, so that its arrays can be memory-mapped."""
    with atomic_write(path) as partial:
        joblib.dump(estimator, partial, protocol=5)


def load_model(path, mapped=False):
    """Load an estimator that this project wrote; a pickle can run code, so load no other.

    Parameters
    ----------
    path : path-like
    mapped : bool
        Whether to memory-map the arrays, which is faster for a single use. The file must not
        change meanwhile.

    Returns
    -------
    GramSVC, StreamedSVC or CalibratedNB
    """
    import_classes()
    return joblib.load(path, mmap_mode="r" if mapped else None)


def import_classes():
    """Import what a pickled estimator needs: in a function, as scikit-learn takes a second."""
    from flowers.learning import naive_bayes, sdca, svm  # noqa: F401
