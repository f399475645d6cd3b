"""Near-duplicate photos share a group; groups never cross a split."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from flowers.errors import BadInput

THUMBNAIL = 16
# Rows of the correlation matrix held at once: 1,024 x 5,000 float32 = 20 MB.
ROWS = 1024


def thumbnails(images):
    """Photos reduced to 16x16 by the mean of each cell.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
        `s` is a multiple of 16.

    Returns
    -------
    ndarray of shape (n, 16, 16, 3), float32, range [0, 255]
    """
    n, side = images.shape[:2]
    cell = side // THUMBNAIL
    small = np.empty((n, THUMBNAIL, THUMBNAIL, 3), dtype=np.float32)
    for i, image in enumerate(images):
        small[i] = image.reshape(THUMBNAIL, cell, THUMBNAIL, cell, 3).mean(axis=(1, 3))
    return small


def unit_rows(small):
    """Thumbnails as rows of zero mean and unit length, whose products are correlations."""
    rows = small.reshape(len(small), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)


def twin_pairs(images, threshold):
    """Pairs of photos whose thumbnails correlate, one of them possibly mirrored.

    Parameters
    ----------
    images : ndarray of shape (n, s, s, 3), uint8
    threshold : float in (0, 1)
        Pearson correlation of the 768 colour values above which two photos are twins.

    Returns
    -------
    pairs : ndarray of shape (k, 2), int64
        Row numbers ``i < j``, sorted.
    correlation : ndarray of shape (k,), float32
    """
    small = thumbnails(images)
    plain, mirrored = unit_rows(small), unit_rows(small[:, :, ::-1])
    found, strength = [], []
    for start in range(0, len(plain), ROWS):
        rows = plain[start : start + ROWS]
        correlation = np.maximum(rows @ plain.T, rows @ mirrored.T)
        i, j = np.nonzero(correlation > threshold)
        later = j > i + start
        found.append(np.column_stack([i[later] + start, j[later]]))
        strength.append(correlation[i[later], j[later]])
    return np.concatenate(found), np.concatenate(strength)


def groups_of(pairs, n):
    """The connected components of the twin pairs, numbered by first appearance.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


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
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, groups))
