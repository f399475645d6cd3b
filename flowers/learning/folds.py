"""Cross-validation folds that keep groups of near-duplicates whole."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import get_tags

from flowers.base.groups import require_groups


def make_grouped_folds(labels, groups, folds, seed):
    """Stratified folds that keep groups whole.

    Returns
    -------
    list of (train, validation) pairs of int arrays

    Raises
    ------
    BadInput
        If a class has fewer groups than folds.
    """
    require_groups(labels, groups, folds, f"set folds below {folds}, or add photos")
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))


def restore_row_order(told, folds):
    """Put what is told of the rows that each fold holds out in the order of the rows."""
    return np.concatenate(told)[np.argsort(np.concatenate([rows for _, rows in folds]))]


def assign_fold_numbers(folds):
    """Give for each row the number of the fold that holds it out, shape (n,)."""
    return restore_row_order([np.full(len(rows), k) for k, (_, rows) in enumerate(folds)], folds)


def fold_copy_bytes(machine, X, folds):
    """Bytes that the fit of the largest fold copies, in which its rows become float64.

    Parameters
    ----------
    machine : estimator
    X : ndarray of shape (n, d), or (n, n) if the machine takes kernel values
    folds : list of (ndarray, ndarray)
        Positions to fit and to hold out.

    Returns
    -------
    int
    """
    most = max(len(train) for train, _ in folds)
    width = most if get_tags(machine).input_tags.pairwise else X.shape[1]
    return most * width * (X.itemsize if X.itemsize == 8 else X.itemsize + 8)


def fit_fold(machine, X, y, train, rows):
    """Fit a machine on some rows, and ask it about others.

    Parameters
    ----------
    machine : classifier
        Unfitted, with a ``decision_function``; it stays so.
    X, y
        Of all rows; kernel values if the machine takes them.
    train, rows : ndarray of int

    Returns
    -------
    classes : ndarray
    decision : ndarray of shape (len(rows), k) or (len(rows),)
    """
    pairwise = get_tags(machine).input_tags.pairwise
    seen, asked = (X[np.ix_(some, train)] if pairwise else X[some] for some in (train, rows))
    fitted = clone(machine).fit(seen, y[train])
    return fitted.classes_, fitted.decision_function(asked)
