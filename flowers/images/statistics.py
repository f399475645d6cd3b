"""Image statistics (colour, brightness, sharpness) for drift detection, and a hash for repeats."""

import numpy as np

# Weights of red, green and blue in the luma (ITU-R BT.601).
LUMA = np.array([0.299, 0.587, 0.114])
STATISTIC_NAMES = tuple(f"{kind}_{c}" for kind in ("mean", "std") for c in ("red", "green", "blue"))
STATISTIC_NAMES += ("brightness", "sharpness")


def compute_statistics(pixels):
    """Compute colour, brightness and sharpness, with which drift detection compares images.

    Parameters
    ----------
    pixels : ndarray of shape (s, s, 3), uint8

    Returns
    -------
    dict
        ``mean`` and ``std`` of red, green and blue and the ``brightness`` (mean luma), all in
        [0, 1], and the ``sharpness`` in [0, 4]: the standard deviation of the Laplacian of the
        luma, the root of the focus measure of Pech-Pacheco et al. 2000, "Diatom autofocusing in
        brightfield microscopy". Blur and enlarging lower it, noise and JPEG blocks raise it.

    Examples
    --------
    >>> import numpy as np
    >>> compute_statistics(np.full((16, 16, 3), 255, np.uint8))
    {'mean': [1.0, 1.0, 1.0], 'std': [0.0, 0.0, 0.0], 'brightness': 1.0, 'sharpness': 0.0}
    """
    channels = pixels.reshape(-1, 3).T.astype(np.float64, order="C")
    n = channels.shape[1]
    # Sums of whole numbers are exact in float64: their difference loses no digits.
    total = channels.sum(axis=1)
    squares = np.einsum("ij,ij->i", channels, channels)
    mean = total / (255 * n)
    std = np.sqrt(np.maximum(n * squares - total**2, 0)) / (255 * n)
    luma = (LUMA @ channels).reshape(pixels.shape[:2])
    # An allocation above a megabyte returns to the system, which clears it for every image.
    del channels
    return {
        "mean": mean.round(4).tolist(),
        "std": std.round(4).tolist(),
        "brightness": round(float(mean @ LUMA), 4),
        "sharpness": round(_compute_laplacian_std(luma) / 255, 4),
    }


def compute_hash(pixels):
    """Compute the difference hash, by which photos that were saved again are recognised.

    Each bit is 1 where one of 8 x 9 cells is darker than its right neighbour. Compression, resizing
    and other colours change few of the 64 bits; two photos differ in about half of them.

    Parameters
    ----------
    pixels : ndarray of shape (s, s, 3), uint8

    Returns
    -------
    str
        64 bits as 16 hexadecimal digits.
    """
    luma = pixels @ LUMA
    rows, columns = (np.linspace(0, len(luma), n, endpoint=False).astype(int) for n in (8, 9))
    sums = np.add.reduceat(np.add.reduceat(luma, rows, axis=0), columns, axis=1)
    cells = sums / np.diff(columns, append=len(luma))
    return np.packbits(cells[:, :-1] < cells[:, 1:]).tobytes().hex()


def _compute_laplacian_std(values):
    """Return the standard deviation of the Laplacian, with the edge values repeated outside.

    Each difference of neighbours is added once with each sign, so that the mean is 0.
    """
    laplacian = np.zeros_like(values)
    for lines, sums in ((values, laplacian), (values.T, laplacian.T)):
        step = lines[1:] - lines[:-1]
        sums[:-1] += step
        sums[1:] -= step
    return float(np.sqrt(np.mean(np.square(laplacian, out=laplacian))))


def flatten_statistics(image):
    """Return the values of `compute_statistics` as 8 floats in the order of ``STATISTIC_NAMES``.

    Logs of earlier versions have no ``sharpness``, which becomes NaN. Other keys are ignored.

    Raises
    ------
    KeyError, TypeError, ValueError
        If `image` has another form.
    """
    last = (image["brightness"], image.get("sharpness", np.nan))
    numbers = tuple(map(float, (*image["mean"], *image["std"], *last)))
    if len(numbers) != len(STATISTIC_NAMES):
        raise ValueError(f"{len(numbers)} image statistics instead of {len(STATISTIC_NAMES)}")
    return numbers
