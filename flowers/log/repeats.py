"""Photos that come again: of those with equal bytes or equal answers the first counts."""

import numpy as np

from flowers.log.record import UNKNOWN


def first_of_repeats(rows):
    """Keep the first answer about each photo, with a true label that any of them has.

    Real traffic repeats itself: a photo is sent twice, or by many. Such photos tell nothing new,
    and tests that take them for new ones ring without a reason.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        In the order of time, with ``photo`` (number; 0: not known), ``probabilities``, ``image``
        and ``truth``.

    Returns
    -------
    ndarray of shape (at most n,)
    """
    if not len(rows):
        return rows
    content = np.concatenate([rows["probabilities"], rows["image"]], axis=1)
    # Compared as bytes: NaN, of a statistic that is not known, is equal to itself there.
    content = np.ascontiguousarray(content).view(f"V{content.dtype.itemsize * content.shape[1]}")
    _, first, same = np.unique(content.ravel(), return_index=True, return_inverse=True)
    by_content = first[same]
    photos, start, again = np.unique(rows["photo"], return_index=True, return_inverse=True)
    by_photo = np.where(rows["photo"] == 0, by_content, by_content[start[again]])
    origin = np.minimum(by_content, by_photo)
    while (origin != origin[origin]).any():  # the same as one that is the same as another
        origin = origin[origin]
    kept = rows[np.unique(origin)]
    known = np.flatnonzero(rows["truth"] != UNKNOWN)[::-1]
    # Written from the newest to the oldest: the first label of a photo stays.
    truth = np.full(len(rows), UNKNOWN, rows["truth"].dtype)
    truth[origin[known]] = rows["truth"][known]
    kept["truth"] = truth[np.unique(origin)]
    return kept
