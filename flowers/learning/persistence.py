"""Fitted estimators as files."""

import joblib

from flowers.base.tables import atomic_write


def save_model(estimator, path):
    """Write a fitted estimator or None, uncompressed, so that its arrays can be memory-mapped."""
    with atomic_write(path) as partial:
        joblib.dump(estimator, partial, protocol=5)


def load_model(path, mapped=False):
    """Load an estimator that this project wrote; a pickle can run code, so load no other.

    Returns a ``GramSVC``, ``StreamedSVC``, ``CalibratedNB`` or ``CalibratedOther``. With `mapped`
    its arrays are memory-mapped, which is faster for a single use; the file must not change then.
    The file of a model that a run does not have holds None.
    """
    # What a pickled estimator needs: here, because scikit-learn takes a second.
    from flowers.learning import naive_bayes, other, sdca, svm  # noqa: F401

    return joblib.load(path, mmap_mode="r" if mapped else None)
