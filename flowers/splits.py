"""Train/test splits and their leakage; groups of near-duplicates never cross a grouped split."""

import numpy as np
from sklearn.model_selection import train_test_split

from flowers.base.groups import require_groups


def split_at_random(labels, test_size, seed):
    """Draw test images at random, stratified by label; near-duplicates end up on both sides.

    Parameters
    ----------
    labels, test_size, seed
        As in `split_by_group`; `test_size` is a share of the images.

    Returns
    -------
    ndarray of shape (n,), bool
        True where the image is in the test part.
    """
    _, test = train_test_split(
        np.arange(len(labels)), test_size=test_size, random_state=seed, stratify=labels
    )
    return np.isin(np.arange(len(labels)), test)


def split_by_group(labels, groups, test_size, seed):
    """Draw whole groups at random, stratified by the label of each group's first image.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    test_size : float in (0, 1)
        Share of the groups; the share of the images is close to it.
    seed : int

    Returns
    -------
    ndarray of shape (n,), bool
        True where the image is in the test part.

    Examples
    --------
    >>> labels = np.array(["Lotus", "Tulip"] * 8)
    >>> groups = np.arange(16) // 4 * 2 + np.arange(16) % 2
    >>> int(split_by_group(labels, groups, 0.25, 0).sum())
    4
    """
    names, first = np.unique(groups, return_index=True)
    _, test = train_test_split(
        names, test_size=test_size, random_state=seed, stratify=labels[first]
    )
    return np.isin(groups, test)


def measure_leakage(groups, test):
    """Share of the test images with a near-duplicate in train, range [0, 1].

    Parameters
    ----------
    groups : ndarray of shape (n,), int
    test : ndarray of shape (n,), bool

    Examples
    --------
    >>> measure_leakage(np.array([0, 0, 1, 2]), np.array([True, False, True, False]))
    0.5
    """
    return float(np.isin(groups[test], groups[~test]).mean())


def split_by_strategy(labels, groups, test_size, seed):
    """Split by every strategy, so that their leakage can be compared.

    Parameters
    ----------
    labels, groups, test_size, seed
        As in `split_by_group`.

    Returns
    -------
    dict of {"grouped", "random"} to ndarray of shape (n,), bool
        As in `split_by_group` and `split_at_random`.

    Raises
    ------
    BadInput
        If a class has fewer than four groups.
    """
    require_groups(labels, groups, 4, "add photos, or leave the class out")
    return {
        "grouped": split_by_group(labels, groups, test_size, seed),
        "random": split_at_random(labels, test_size, seed),
    }


def summarise_split(labels, groups, pairs, tests, strategy):
    """Count images, groups and leaks of a split.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    pairs : ndarray of shape (k, 2), int
        Near-duplicates.
    tests : dict of str to ndarray of shape (n,), bool
        From `split_by_strategy`.
    strategy : str
        The one in use.

    Returns
    -------
    dict
    """
    test = tests[strategy]
    conflict = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return {
        "strategy": strategy,
        "photos": len(labels),
        "distinct": int(groups.max()) + 1,
        "near_duplicate_pairs": len(pairs),
        "conflicting_groups": len(np.unique(groups[pairs[conflict, 0]])),
        "train": int((~test).sum()),
        "test": int(test.sum()),
        "leaked_test_photos": int(np.isin(groups[test], groups[~test]).sum()),
        "leakage": {name: measure_leakage(groups, part) for name, part in tests.items()},
    }
