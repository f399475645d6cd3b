"""Checks of groups of near-duplicates."""

import numpy as np

from flowers.base.errors import BadInput


def require_groups(labels, groups, least, remedy):
    """Refuse a class with too few groups; scikit-learn would continue without a warning.

    Raises
    ------
    BadInput
        If a class has fewer than `least` groups; the message ends in `remedy`.
    """
    for label in np.unique(labels):
        count = len(np.unique(groups[labels == label]))
        if count < least:
            raise BadInput(
                f"class {str(label)!r} has {count} distinct images, fewer than {least}: {remedy}"
            )
