"""The figures of an audit: copies, near-duplicates, conflicting labels and leakage."""

from collections import Counter

import numpy as np

from flowers.base.errors import BadInput
from flowers.splits import find_leaked, measure_leakage, split_as_given, split_at_random


def summarise_classes(labels, parts):
    """Count the photos of each class, and of each part of a class if there are parts."""
    table = {}
    for label, part in zip(labels.tolist(), parts.tolist(), strict=True):
        counts = table.setdefault(label, Counter())
        counts["photos"] += 1
        if part:
            counts[part] += 1
    return {label: dict(table[label]) for label in sorted(table)}


def list_members(keys, names):
    """List the names of the photos of each key that several photos have, in order.

    Parameters
    ----------
    keys, names : ndarray of shape (n,)

    Returns
    -------
    list of ndarray of str
    """
    order = np.argsort(keys, kind="stable")
    _, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    several = counts > 1
    bounds = zip(starts[several], counts[several], strict=True)
    return [names[np.sort(order[start : start + count])] for start, count in bounds]


def summarise_copies(digests, labels, parts):
    """Count photos whose bytes another photo has too.

    Parameters
    ----------
    digests, labels, parts : ndarray of shape (n,), str

    Returns
    -------
    dict
        ``pictures`` that several photos show, ``photos`` that show them; ``across_parts`` and
        ``across_classes`` are those of the pictures that are in several parts or classes.
    """
    rows = list_members(digests, np.arange(len(digests)))
    return {
        "pictures": len(rows),
        "photos": sum(map(len, rows)),
        "across_parts": sum(len(set(parts[members])) > 1 for members in rows),
        "across_classes": sum(len(set(labels[members])) > 1 for members in rows),
    }


def summarise_pairs(matches, groups, labels, parts):
    """Count pairs of near-duplicates within and across parts and classes, and their groups."""
    pairs = np.concatenate([np.empty((0, 2), np.int64), *(pairs for pairs, _ in matches.values())])
    first, second = pairs.T
    part = parts[first] == parts[second]
    label = labels[first] == labels[second]
    sizes = np.bincount(groups)
    return {
        "pairs": len(pairs),
        "pairs_by_signal": {signal: len(new) for signal, (new, _) in matches.items()},
        "within_part_and_class": int((part & label).sum()),
        "within_part_across_classes": int((part & ~label).sum()),
        "across_parts_within_class": int((~part & label).sum()),
        "across_parts_and_classes": int((~part & ~label).sum()),
        "groups": int((sizes > 1).sum()),
        "photos": int(sizes[sizes > 1].sum()),
        "largest_group": int(sizes.max()),
    }


def count_between_parts(groups, parts):
    """Count for each part the photos that have a near-duplicate in each other part.

    Returns
    -------
    dict of str to dict of str to int
        The part, then ``photos`` and the other parts.
    """
    names = [name for name in ("train", "validation", "test") if name in parts]
    table = {}
    for name in names:
        own = groups[parts == name]
        others = [other for other in names if other != name]
        counts = {other: int(np.isin(own, groups[parts == other]).sum()) for other in others}
        table[name] = {"photos": len(own)} | counts
    return table


def measure_split(groups, test):
    """Return the numbers of test photos and of leaked ones, and the share of the leaked ones."""
    leaked = int(find_leaked(groups, test).sum())
    share = measure_leakage(groups, test)
    return {"test": int(test.sum()), "leaked_test_photos": leaked, "share": share}


def measure_splits(labels, groups, parts, split):
    """Measure the leakage of the data set's own split, and of a random one.

    Parameters
    ----------
    labels, groups, parts : ndarray of shape (n,)
    split : dict
        The section split of the parameters.

    Returns
    -------
    figures : dict of {"given", "random"} to dict
        As in `measure_split`; None if the split is not possible.
    test : ndarray of shape (n,), bool
        The test part of the data set's own split; all False without one.
    """
    figures = {"given": None, "random": None}
    test = np.zeros(len(labels), dtype=bool)
    try:
        test = split_as_given(parts)
        figures["given"] = measure_split(groups, test)
    except BadInput:
        pass  # the data set has no split of its own
    try:
        random_test = split_at_random(labels, split["test_size"], split["seed"])
        figures["random"] = measure_split(groups, random_test)
    except BadInput:
        pass  # a class is too small for a random split
    return figures, test


def list_leaked(matches, groups, test, names):
    """List each leaked test photo with the most similar training photo of its group.

    Parameters
    ----------
    matches : dict
        From `flowers.duplicates.search.find_near_duplicates`.
    groups, test, names : ndarray of shape (n,)

    Returns
    -------
    list of dict
        ``test``, ``train``, ``signal``, ``correlation``. Where only a chain of near-duplicates
        joins the photo with a training photo, the signal is "chain" and there is no correlation.
    """
    columns = [
        (a, b, correlation, np.full(len(a), signal))
        for signal, (pairs, correlation) in matches.items()
        for a, b in (pairs.T, pairs.T[::-1])
    ]
    first, second, correlation, signal = map(np.concatenate, zip(*columns, strict=True))
    across = np.flatnonzero(test[first] & ~test[second])
    across = across[np.lexsort((second[across], -correlation[across], first[across]))]
    rows, best = np.unique(first[across], return_index=True)
    partners = dict(zip(rows.tolist(), across[best].tolist(), strict=True))
    numbers, starts = np.unique(groups[~test], return_index=True)
    training = dict(zip(numbers.tolist(), np.flatnonzero(~test)[starts].tolist(), strict=True))
    leaked = []
    for row in np.flatnonzero(find_leaked(groups, test)).tolist():
        k = partners.get(row)
        other = training[int(groups[row])] if k is None else second[k]
        similarity = {"signal": "chain", "correlation": None}
        if k is not None:
            similarity = {"signal": str(signal[k]), "correlation": float(correlation[k])}
        leaked.append({"test": str(names[row]), "train": str(names[other])} | similarity)
    return leaked


def list_conflicts(groups, labels, names):
    """List the groups of near-duplicates with several labels: name and label of each photo."""
    conflicts = []
    for rows in list_members(groups, np.arange(len(groups))):
        if len(set(labels[rows])) > 1:
            columns = zip(names[rows].tolist(), labels[rows].tolist(), strict=True)
            conflicts.append([{"photo": name, "label": label} for name, label in columns])
    return conflicts


def select_pairs(matches, chosen):
    """Keep the pairs for which `chosen`, a function of the two row numbers, is True."""
    kept = {}
    for signal, (pairs, correlation) in matches.items():
        mask = chosen(pairs[:, 0], pairs[:, 1])
        kept[signal] = pairs[mask], correlation[mask]
    return kept
