"""Train/test splits and their leakage; groups of near-duplicates never cross a grouped split."""

import math
from collections import Counter
from contextlib import nullcontext, suppress

import numpy as np
from sklearn.model_selection import train_test_split

from flowers.base.errors import BadInput
from flowers.base.groups import require_groups

MIN_GROUPS = 4  # of a class: one for the test part, the others for folds of the training part


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

    Raises
    ------
    BadInput
        If a class would have no test image.
    """
    return _draw_test_part(labels, test_size, seed, "images")


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

    Raises
    ------
    BadInput
        If a class would have no test image.

    Examples
    --------
    >>> labels = np.array(["Lotus", "Tulip"] * 8)
    >>> groups = np.arange(16) // 4 * 2 + np.arange(16) % 2
    >>> int(split_by_group(labels, groups, 0.25, 0).sum())
    4
    """
    names, first = np.unique(groups, return_index=True)
    test = _draw_test_part(labels[first], test_size, seed, "distinct images")
    return np.isin(groups, names[test])


def _draw_test_part(labels, test_size, seed, noun):
    """Draw items at random, stratified by label; True where an item is in the test part."""
    names, counts = np.unique(labels, return_counts=True)
    test = np.zeros(len(labels), dtype=bool)
    # The conditions of train_test_split; the groups of a class may begin with other labels.
    if counts.min() > 1 and math.ceil(test_size * len(labels)) >= len(names):
        rows = np.arange(len(labels))
        _, chosen = train_test_split(rows, test_size=test_size, random_state=seed, stratify=labels)
        test[chosen] = True
    missing = ~np.isin(names, labels[test])
    if missing.any():
        k = np.where(missing, counts, len(labels)).argmin()
        larger = min(math.ceil(100 / counts[k]) / 100, 0.5)
        raise BadInput(
            f"split.test_size {test_size} leaves class {str(names[k])!r}, of {counts[k]} {noun}, "
            f"without a test image: set it to {larger} or more, or add photos of the class"
        )
    return test


def align_parts(paths, table):
    """Return the part of each image, shape (n,), "" for those that the table leaves out.

    Parameters
    ----------
    paths : ndarray of shape (n,), str
    table : dict of {"path", "part"} to ndarray
    """
    part = dict(zip(table["path"].tolist(), table["part"].tolist(), strict=True))
    return np.array([part.get(path, "") for path in paths.tolist()], dtype=str)


def split_as_given(parts):
    """Keep the split that a data set comes with.

    The test part is "test", or "validation" if there is no "test". If there are both, the
    validation images are training images.

    Parameters
    ----------
    parts : ndarray of shape (n,), str
        The part of each image, "train", "validation" or "test"; "" if it is in none.

    Returns
    -------
    ndarray of shape (n,), bool
        True where the image is in the test part.

    Raises
    ------
    BadInput
        If there is no training or no test part, or some images are in no part.

    Examples
    --------
    >>> split_as_given(np.array(["train", "validation", "test"])).tolist()
    [False, False, True]
    >>> split_as_given(np.array(["train", "validation"])).tolist()
    [False, True]
    """
    names = set(parts.tolist()) - {""}
    if not names:
        reason = "the data set has no split of its own"
    elif names == {"train"}:
        reason = "the data set has only the part 'train'"
    elif "train" not in names:
        reason = "the data set has no part 'train'"
    elif missing := int((parts == "").sum()):
        reason = f"{missing} photos are in no part of the data set"
    else:
        return parts == ("test" if "test" in names else "validation")
    raise BadInput(f"{reason}: set split.strategy to grouped, not given")


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
    return float(find_leaked(groups, test)[test].mean())


def find_leaked(groups, test):
    """Find the test images that have a near-duplicate in train.

    Parameters
    ----------
    groups, test
        As in `measure_leakage`.

    Returns
    -------
    ndarray of shape (n,), bool

    Examples
    --------
    >>> find_leaked(np.array([0, 0, 1]), np.array([True, False, True])).tolist()
    [True, False, False]
    """
    return test & np.isin(groups, groups[~test])


def split_by_strategy(labels, groups, test_size, seed, strategy="grouped", parts=None):
    """Split by the strategy in use, and by the others, so that their leakage can be compared.

    Parameters
    ----------
    labels, groups, test_size, seed
        As in `split_by_group`.
    strategy : {"grouped", "random", "given"}
        The one in use.
    parts : ndarray of shape (n,), str, optional
        As in `split_as_given`; needed for "given".

    Returns
    -------
    dict of strategy to ndarray of shape (n,), bool
        As in `split_by_group`, `split_at_random` and `split_as_given`. Strategies other than the
        one in use are left out if they are not possible.

    Raises
    ------
    BadInput
        If the strategy in use is not possible: a class has too few images, or the data set has
        no split of its own.
    """
    if strategy != "given":
        require_groups(labels, groups, MIN_GROUPS, "add photos, or leave the class out")
    functions = {
        "grouped": lambda: split_by_group(labels, groups, test_size, seed),
        "random": lambda: split_at_random(labels, test_size, seed),
        "given": lambda: split_as_given(np.full(len(labels), "") if parts is None else parts),
    }
    tests = {}
    for name, function in functions.items():
        with nullcontext() if name == strategy else suppress(BadInput):
            tests[name] = function()
    _require_classes(labels, tests[strategy])
    return tests


def _require_classes(labels, test):
    """Raise BadInput if a class has no image in one of the parts."""
    for part, present in (("training", labels[~test]), ("test", labels[test])):
        if missing := sorted(set(labels.tolist()) - set(present.tolist())):
            raise BadInput(
                f"class {missing[0]!r} has no {part} image: add some, leave the class out, or set "
                "split.strategy or split.seed to another value"
            )


def summarise_split(labels, groups, pairs, tests, strategy, parts=None):
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
    parts : ndarray of shape (n,), str, optional
        As in `split_as_given`, whose images are counted.

    Returns
    -------
    dict
    """
    test = tests[strategy]
    counts = {"parts": dict(sorted(Counter(parts.tolist()).items()))} if strategy == "given" else {}
    conflict = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    return {
        "strategy": strategy,
        **counts,
        "photos": len(labels),
        "distinct": int(groups.max()) + 1,
        "near_duplicate_pairs": len(pairs),
        "conflicting_groups": len(np.unique(groups[pairs[conflict, 0]])),
        "train": int((~test).sum()),
        "test": int(test.sum()),
        "leaked_test_photos": int(find_leaked(groups, test).sum()),
        "leakage": {name: measure_leakage(groups, part) for name, part in tests.items()},
    }


def describe_split(figures):
    """Describe the figures of `summarise_split` in one line."""
    line = (
        f"{figures['photos']} photos, {figures['distinct']} distinct; "
        f"{figures['leaked_test_photos']} test photos have a near-duplicate in train"
    )
    if parts := figures.get("parts"):
        use = {"validation": "validation (used for training)" if "test" in parts else "validation"}
        counts = [f"{count} {use.get(name, name)}" for name, count in parts.items()]
        line += f"; split of the data set: {', '.join(counts)}"
    return line
