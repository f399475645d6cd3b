"""Colour and brightness of a photo in seven numbers: logged with answers, kept with test photos."""

import numpy as np

# Shares of red, green and blue in brightness (ITU-R BT.601, luma).
LUMA = np.array([0.299, 0.587, 0.114])
NAMES = tuple(f"{kind}_{c}" for kind in ("mean", "std") for c in ("red", "green", "blue"))
NAMES += ("brightness",)


def statistics(pixels):
    """Colour and brightness of a photo, for the warning that photos of another kind arrive.

    Parameters
    ----------
    pixels : ndarray of shape (s, s, 3), uint8

    Returns
    -------
    dict
        ``mean`` and ``std`` of red, green and blue and the ``brightness``, all in [0, 1].
    """
    channels = pixels.reshape(-1, 3) / 255.0
    mean = channels.mean(axis=0)
    return {
        "mean": mean.round(4).tolist(),
        "std": channels.std(axis=0).round(4).tolist(),
        "brightness": round(float(mean @ LUMA), 4),
    }


def flat(image):
    """Give the numbers of `statistics` in the order of ``NAMES``.

    Parameters
    ----------
    image : dict
        With ``mean``, ``std`` and ``brightness``; other keys are passed over.

    Returns
    -------
    tuple of 7 float

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is not such a dict.
    """
    numbers = tuple(map(float, (*image["mean"], *image["std"], image["brightness"])))
    if len(numbers) != len(NAMES):
        raise ValueError(f"{len(numbers)} image statistics instead of {len(NAMES)}")
    return numbers
