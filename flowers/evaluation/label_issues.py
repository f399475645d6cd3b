"""Label issues: confident predictions of another class, and near-duplicates with two labels."""

import numpy as np

CONFIDENT_PREDICTION = "confident prediction"
NEAR_DUPLICATE = "near-duplicate"


def find_confident_classes(labels, probabilities, classes):
    """Find the class that each image is confidently predicted as (confident learning).

    The threshold of a class is the mean probability that its own images get for it. Of several
    classes above their thresholds the most probable one counts (Northcutt, Jiang & Chuang 2021,
    "Confident Learning: Estimating Uncertainty in Dataset Labels", equations 1 and 2). With the
    condition in `find_label_issues` the result equals that of cleanlab 2.9 with
    ``filter_by="confident_learning"``; cleanlab is not used because it requires pandas.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    probabilities : ndarray of shape (n, n_classes)
        From models that were fitted without the image and its near-duplicates.
    classes : ndarray of shape (n_classes,), str

    Returns
    -------
    ndarray of shape (n,), str
        Empty where no class reaches its threshold.
    """
    confidences = [probabilities[labels == name, k] for k, name in enumerate(classes)]
    thresholds = np.array([c.mean() if len(c) else np.inf for c in confidences])
    above = np.where(probabilities >= thresholds, probabilities, -1.0)
    return np.where(above.max(axis=1) >= 0, classes[above.argmax(axis=1)], "")


def find_group_labels(labels, groups, probabilities, classes):
    """Find the most frequent label in each image's group of near-duplicates, shape (n,).

    Among equally frequent labels the one of the highest mean probability in the group is taken.

    Parameters
    ----------
    labels, groups, probabilities, classes
        As in `find_label_issues`.
    """
    majority = labels.copy()
    names, index = np.unique(groups, return_inverse=True)
    for group in range(len(names)):
        rows = np.flatnonzero(index == group)
        present, counts = np.unique(labels[rows], return_counts=True)
        if len(present) > 1:
            means = probabilities[rows].mean(axis=0)[np.searchsorted(classes, present)]
            majority[rows] = present[np.lexsort((-means, -counts))[0]]
    return majority


def find_label_issues(labels, groups, probabilities, classes):
    """Rank the images whose label is probably wrong.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    probabilities, classes : ndarray
        See `find_confident_classes`.

    Returns
    -------
    rows : ndarray of int
        Positions: near-duplicates with two labels first, then by margin.
    suggested : ndarray of str
    margin : ndarray of float, range [-1, 1]
        Probability of the suggested class minus that of the label.
    reason : ndarray of str
        ``NEAR_DUPLICATE`` or ``CONFIDENT_PREDICTION``.
    """
    majority = find_group_labels(labels, groups, probabilities, classes)
    confident = find_confident_classes(labels, probabilities, classes)
    # Where the label is the most probable class there is no issue, as in cleanlab.
    by_prediction = (confident != "") & (classes[probabilities.argmax(axis=1)] != labels)
    by_prediction &= confident != labels
    by_group = majority != labels
    suggested = np.where(by_group, majority, confident)
    rows = np.flatnonzero(by_group | by_prediction)
    column_suggested = np.searchsorted(classes, suggested[rows])
    column_label = np.searchsorted(classes, labels[rows])
    margin = probabilities[rows, column_suggested] - probabilities[rows, column_label]
    order = np.lexsort((rows, -margin, ~by_group[rows]))
    reason = np.where(by_group[rows], NEAR_DUPLICATE, CONFIDENT_PREDICTION)
    return rows[order], suggested[rows][order], margin[order], reason[order]
