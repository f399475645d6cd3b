"""Cross-validation folds that keep groups of near-duplicates together."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import get_tags

from flowers.base.errors import BadInput
from flowers.base.groups import require_groups


def number_groups(groups, n):
    """Return the groups of `n` rows as an array; None makes each row its own group."""
    return np.arange(n) if groups is None else np.asarray(groups)


def make_grouped_folds(labels, groups, folds, seed):
    """Make stratified folds; all rows of a group are in one fold.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    folds, seed : int

    Returns
    -------
    list of (train, test) pairs of ndarray of int

    Raises
    ------
    BadInput
        If a class has fewer groups than folds, or all of its images are in one fold.
    """
    remedy = f"set folds below {folds}, or add photos" if folds > 2 else "add photos"
    require_groups(labels, groups, folds, remedy, "in the training part")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    parts = list(splitter.split(np.zeros(len(labels)), labels, groups))
    for train, _ in parts:
        if missing := sorted(set(labels.tolist()) - set(labels[train].tolist())):
            raise BadInput(
                f"class {missing[0]!r} is in one of {folds} folds only, near-duplicates of other "
                "classes: set seed or folds to another value, or review the labels"
            )
    return parts


def restore_row_order(parts, folds):
    """Concatenate values of the test rows of each fold in the order of the rows."""
    return np.concatenate(parts)[np.argsort(np.concatenate([test for _, test in folds]))]


def assign_fold_numbers(folds):
    """Return the number of the fold that tests each row, shape (n,)."""
    return restore_row_order([np.full(len(test), k) for k, (_, test) in enumerate(folds)], folds)


def fold_copy_bytes(classifier, X, folds):
    """Estimate the bytes that the fit of the largest fold copies, where rows become float64.

    Parameters as in `fit_fold`, with the folds from `make_grouped_folds`.
    """
    rows = max(len(train) for train, _ in folds)
    width = rows if get_tags(classifier).input_tags.pairwise else X.shape[1]
    return rows * width * (X.itemsize if X.itemsize == 8 else X.itemsize + 8)


def fit_fold(classifier, X, y, train, test):
    """Fit a clone of a classifier on the training rows of a fold and evaluate its test rows.

    Parameters
    ----------
    classifier : scikit-learn classifier
    X : ndarray of shape (n, d), or (n, n) for a classifier of kernel values
    y : ndarray of shape (n,)
    train, test : ndarray of int

    Returns
    -------
    classes : ndarray
    decision : ndarray of shape (len(test), k) or (len(test),)
    """
    pairwise = get_tags(classifier).input_tags.pairwise
    parts = [X[np.ix_(rows, train)] if pairwise else X[rows] for rows in (train, test)]
    fitted = clone(classifier).fit(parts[0], y[train])
    return fitted.classes_, fitted.decision_function(parts[1])
