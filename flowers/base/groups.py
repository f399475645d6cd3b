"""Checks of groups of near-duplicates."""

import numpy as np

from flowers.base.errors import BadInput


def require_groups(labels, groups, min_count, remedy):
    """Raise BadInput if a class has fewer than `min_count` groups; scikit-learn would not warn.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)
    min_count : int
    remedy : str
        End of the message.
    """
    for label in np.unique(labels):
        count = len(np.unique(groups[labels == label]))
        if count < min_count:
            raise BadInput(
                f"class {str(label)!r} has {count} distinct images, fewer than {min_count}: "
                f"{remedy}"
            )
