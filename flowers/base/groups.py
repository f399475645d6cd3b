"""Groups of near-duplicates."""

import numpy as np

from flowers.base.errors import BadInput


def require_groups(labels, groups, min_count, remedy, place=""):
    """Raise BadInput if a class has fewer than `min_count` groups; scikit-learn would not warn.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    min_count : int
    remedy : str
        End of the message.
    place : str, optional
        Where they are counted, for the message.
    """
    for label in np.unique(labels):
        count = len(np.unique(groups[labels == label]))
        if count < min_count:
            noun = " ".join(["distinct", "image" if count == 1 else "images", place]).strip()
            raise BadInput(
                f"class {str(label)!r} has {count} {noun}, fewer than {min_count}: {remedy}"
            )


def find_first_of_groups(groups):
    """Find the first row of each group, ascending; `groups` is an ndarray of shape (n,)."""
    return np.sort(np.unique(groups, return_index=True)[1])
