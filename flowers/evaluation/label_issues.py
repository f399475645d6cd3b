"""Photos whose label is worth a look: confident answers against it, and twins that disagree."""

import numpy as np

CONFIDENT_PREDICTION, NEAR_DUPLICATE = "confident prediction", "near-duplicate"


def find_confident_classes(labels, probabilities, classes):
    """Give the class each photo confidently looks like, by the rule of confident learning.

    A photo confidently looks like a class if its probability is at least the mean probability
    that photos of this class get for it: a class the model is never sure of needs less. Of
    several such classes the most probable counts (Northcutt, Jiang & Chuang 2021, "Confident
    Learning: Estimating Uncertainty in Dataset Labels", equations 1 and 2). With the condition
    in `find_label_issues` it finds the photos that ``find_label_issues(filter_by="confident_learning")``
    of cleanlab 2.9 finds, which brings pandas along.

    Parameters
    ----------
    labels : ndarray of shape (n,), str
    probabilities : ndarray of shape (n, n_classes)
        Held-out: of models that saw neither the photo nor a twin of it.
    classes : ndarray of shape (n_classes,), str

    Returns
    -------
    ndarray of shape (n,), str
        Empty where a photo confidently looks like no class.
    """
    own = [probabilities[labels == name, k] for k, name in enumerate(classes)]
    bar = np.array([shares.mean() if len(shares) else np.inf for shares in own])
    sure = np.where(probabilities >= bar, probabilities, -1.0)
    return np.where(sure.max(axis=1) >= 0, classes[sure.argmax(axis=1)], "")


def find_group_labels(labels, groups, probabilities, classes):
    """Give the label that the twins of each photo speak for.

    Of the labels in a group it is the most frequent one, and among equals the one that the
    group's photos together look most like.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    probabilities, classes : as of `find_confident_classes`

    Returns
    -------
    ndarray of shape (n,), str
        The photo's own label where all twins agree.
    """
    spoken = labels.copy()
    names, index = np.unique(groups, return_inverse=True)
    for group in range(len(names)):
        rows = np.flatnonzero(index == group)
        present, count = np.unique(labels[rows], return_counts=True)
        if len(present) > 1:
            likely = probabilities[rows].mean(axis=0)[np.searchsorted(classes, present)]
            spoken[rows] = present[np.lexsort((-likely, -count))[0]]
    return spoken


def find_label_issues(labels, groups, probabilities, classes):
    """Rank the photos whose label may be wrong.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    probabilities, classes : as of `find_confident_classes`

    Returns
    -------
    rows : ndarray of int
        Positions: twins that disagree first, then by margin.
    suggested : ndarray of str
    margin : ndarray of float, range [-1, 1]
        Probability of what is suggested minus that of the label.
    reason : ndarray of str
        ``NEAR_DUPLICATE`` or ``CONFIDENT_PREDICTION``.
    """
    spoken = find_group_labels(labels, groups, probabilities, classes)
    answered = find_confident_classes(labels, probabilities, classes)
    # Where the label is the likeliest class of all there is nothing to check, as in cleanlab.
    by_answer = (answered != "") & (classes[probabilities.argmax(axis=1)] != labels)
    by_answer &= answered != labels
    by_twin = spoken != labels
    suggested = np.where(by_twin, spoken, answered)
    rows = np.flatnonzero(by_twin | by_answer)
    of = np.searchsorted(classes, suggested[rows]), np.searchsorted(classes, labels[rows])
    margin = probabilities[rows, of[0]] - probabilities[rows, of[1]]
    order = np.lexsort((rows, -margin, ~by_twin[rows]))
    reason = np.where(by_twin[rows], NEAR_DUPLICATE, CONFIDENT_PREDICTION)
    return rows[order], suggested[rows][order], margin[order], reason[order]
