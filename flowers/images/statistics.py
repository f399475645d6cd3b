"""A photo in eight numbers, colour, brightness and sharpness: logged, and kept with test photos."""

import numpy as np

# Shares of red, green and blue in brightness (ITU-R BT.601, luma).
LUMA = np.array([0.299, 0.587, 0.114])
STATISTIC_NAMES = tuple(f"{kind}_{c}" for kind in ("mean", "std") for c in ("red", "green", "blue"))
STATISTIC_NAMES += ("brightness", "sharpness")


def compute_statistics(pixels):
    """Colour, brightness and sharpness, for the warning that photos of another kind arrive.

    Parameters
    ----------
    pixels : ndarray of shape (s, s, 3), uint8

    Returns
    -------
    dict
        ``mean`` and ``std`` of red, green and blue and the ``brightness``, all in [0, 1], and the
        ``sharpness``: standard deviation of the Laplacian of the brightness (the focus measure of
        Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", but for the
        root), in [0, 4]. Blur and enlarging lower it, noise and JPEG blocks raise it.
    """
    channels = pixels.reshape(-1, 3).T.astype(np.float64, order="C")
    n = channels.shape[1]
    # Sums of whole numbers, exact in float64: their difference loses no digits.
    total, squares = channels.sum(axis=1), np.einsum("ij,ij->i", channels, channels)
    mean, std = total / (255 * n), np.sqrt(np.maximum(n * squares - total**2, 0)) / (255 * n)
    luma = (LUMA @ channels).reshape(pixels.shape[:2])
    # A megabyte at once would go back to the system, which then clears it for every photo.
    del channels
    return {
        "mean": mean.round(4).tolist(),
        "std": std.round(4).tolist(),
        "brightness": round(float(mean @ LUMA), 4),
        "sharpness": round(_laplacian_std(luma) / 255, 4),
    }


def _laplacian_std(values):
    """Give the standard deviation of the Laplacian; beyond its edge a picture goes on as there.

    The steps between neighbours enter once with each sign: the mean is 0.
    """
    out = np.zeros_like(values)
    for lines, here in ((values, out), (values.T, out.T)):
        step = lines[1:] - lines[:-1]
        here[:-1] += step
        here[1:] -= step
    return float(np.sqrt(np.mean(np.square(out, out=out))))


def flatten_statistics(image):
    """Give the numbers of `compute_statistics` in the order of ``STATISTIC_NAMES``.

    Parameters
    ----------
    image : dict
        With ``mean``, ``std`` and ``brightness``; without ``sharpness``, as in logs of old, that
        is NaN. Other keys are passed over.

    Returns
    -------
    tuple of 8 float

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is not such a dict.
    """
    last = (image["brightness"], image.get("sharpness", np.nan))
    numbers = tuple(map(float, (*image["mean"], *image["std"], *last)))
    if len(numbers) != len(STATISTIC_NAMES):
        raise ValueError(f"{len(numbers)} image statistics instead of {len(STATISTIC_NAMES)}")
    return numbers
