"""Splits and folds; groups of near-duplicates never cross a grouped one."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import get_tags

from flowers.errors import BadInput


def random_split(labels, test_size, seed):
    """Photos drawn at random, stratified by label: twins end up on both sides.

    Returns
    -------
    ndarray of shape (n,), bool
        True where the photo is in the test part.
    """
    _, test = train_test_split(
        np.arange(len(labels)), test_size=test_size, random_state=seed, stratify=labels
    )
    return np.isin(np.arange(len(labels)), test)


def grouped_split(labels, groups, test_size, seed):
    """Whole groups drawn at random, stratified by the label of each group's first photo.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    test_size : float in (0, 1)
        Share of the groups; the share of the photos is close to it.
    seed : int

    Returns
    -------
    ndarray of shape (n,), bool
        True where the photo is in the test part.
    """
    names, first = np.unique(groups, return_index=True)
    _, test = train_test_split(
        names, test_size=test_size, random_state=seed, stratify=labels[first]
    )
    return np.isin(groups, test)


def twin_share(groups, test):
    """Share of the test photos with a twin in train, range [0, 1]."""
    return float(np.isin(groups[test], groups[~test]).mean())


def require_groups(labels, groups, least, remedy):
    """Refuse a class with too few distinct pictures, about which scikit-learn is silent.

    Raises
    ------
    BadInput
        If a class has fewer than `least` groups; the message ends in `remedy`.
    """
    for label in np.unique(labels):
        count = len(np.unique(groups[labels == label]))
        if count < least:
            raise BadInput(
                f"class {str(label)!r} has {count} distinct pictures, fewer than {least}: {remedy}"
            )


class QuickFolds(StratifiedGroupKFold):
    """The folds of `StratifiedGroupKFold`, which takes as long as a fit, in a fifth of its time."""

    def _find_best_fold(self, y_counts_per_fold, y_cnt, group_y_counts):
        """Choose the fold of a group: all folds are tried at once, not one after the other."""
        count = len(y_counts_per_fold)
        tried = y_counts_per_fold + np.eye(count)[:, :, None] * group_y_counts
        tried /= y_cnt  # (fold, fold, class)
        # As numpy.std and numpy.mean have it, which take twice as long for so few numbers.
        tried -= tried.sum(axis=1, keepdims=True) / count
        spreads = np.sqrt(np.square(tried, out=tried).sum(axis=1) / count)
        spreads = (spreads.sum(axis=1) / len(y_cnt)).tolist()
        sizes = y_counts_per_fold.sum(axis=1).tolist()
        best = 0
        for fold in range(1, count):
            least, spread = spreads[best], spreads[fold]
            # As numpy.isclose has it, which takes a hundred times as long for a number.
            close = abs(spread - least) <= 1e-8 + 1e-5 * abs(least)
            if spread < least or (close and sizes[fold] < sizes[best]):
                best = fold
        return best


def grouped_folds(labels, groups, folds, seed):
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
    splitter = QuickFolds(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))


def in_order(told, folds):
    """Put what is told of the rows that each fold holds out in the order of the rows."""
    return np.concatenate(told)[np.argsort(np.concatenate([rows for _, rows in folds]))]


def fold_numbers(folds):
    """Give for each row the number of the fold that holds it out, shape (n,)."""
    return in_order([np.full(len(rows), k) for k, (_, rows) in enumerate(folds)], folds)


def strategies(labels, groups, test_size, seed):
    """Split by every strategy, so that the leak of one can be measured beside the other.

    Returns
    -------
    dict of {"grouped", "random"} to ndarray of shape (n,), bool
        As of `grouped_split` and `random_split`.

    Raises
    ------
    BadInput
        If a class has fewer than four groups.
    """
    require_groups(labels, groups, 4, "add photos, or leave the class out")
    return {
        "grouped": grouped_split(labels, groups, test_size, seed),
        "random": random_split(labels, test_size, seed),
    }


def split_figures(labels, groups, pairs, tests, strategy):
    """Count what a split holds, and what crosses it.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    pairs : ndarray of shape (k, 2), int
        Twins.
    tests : dict of str to ndarray of shape (n,), bool
        From `strategies`.
    strategy : str
        The one that is used.

    Returns
    -------
    dict
    """
    test = tests[strategy]
    mixed = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return {
        "strategy": strategy,
        "photos": len(labels),
        "distinct": int(groups.max()) + 1,
        "twin_pairs": len(pairs),
        "two_labels": len(np.unique(groups[pairs[mixed, 0]])),
        "train": int((~test).sum()),
        "test": int(test.sum()),
        "crossing": int(np.isin(groups[test], groups[~test]).sum()),
        "twin_in_train_share": {name: twin_share(groups, t) for name, t in tests.items()},
    }


def copied(machine, X, folds):
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


def held_out(machine, X, y, train, rows):
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
