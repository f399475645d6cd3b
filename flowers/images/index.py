"""The image index: a row for each decoded image, and a reason for each rejected one."""

from collections import Counter
from hashlib import sha256

import numpy as np

from flowers.base.errors import BadInput, RejectedImage
from flowers.images.decoding import CONVERSIONS, load_pixels

INDEX_COLUMNS = ("row", "label", "path", "sha256", "width", "height")
REJECTED_COLUMNS = ("label", "path", "reason", "detail")


def load_image(path, size):
    """Decode and resize one image.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is its label.
    size : int
        Side of the square in pixels.

    Returns
    -------
    pixels : ndarray of shape (size, size, 3), uint8, or None
        None if the image is rejected.
    row : dict
        The values of ``INDEX_COLUMNS`` without ``row``, or those of ``REJECTED_COLUMNS``.
    conversions : sequence of str
        A subset of ``flowers.images.decoding.CONVERSIONS``.
    """
    data = path.read_bytes()
    row = {"label": path.parent.name, "path": f"{path.parent.name}/{path.name}"}
    try:
        pixels, (width, height), conversions = load_pixels(data, size)
    except RejectedImage as error:
        return None, row | {"reason": error.reason, "detail": error.detail}, ()
    row |= {"sha256": sha256(data).hexdigest(), "width": width, "height": height}
    return pixels, row, conversions


def write_images(results, file, size):
    """Write decoded images one by one as an array (.npy), and collect the index and figures.

    Parameters
    ----------
    results : iterable
        Return values of `load_image`.
    file : file object
        Empty, open for writing bytes.
    size : int
        Side of the square in pixels.

    Returns
    -------
    index, rejected : list of dict
    figures : dict
        The numbers of images, exact copies, rejected images by reason and conversions.

    Raises
    ------
    BadInput
        If all images of a class are rejected.
    """
    index = []
    rejected = []
    converted = Counter(dict.fromkeys(CONVERSIONS, 0))
    _write_header(file, 0, size)
    for pixels, row, conversions in results:
        converted.update(conversions)
        if pixels is None:
            rejected.append(row)
        else:
            file.write(pixels)
            index.append({"row": len(index)} | row)
    missing = {row["label"] for row in rejected} - {row["label"] for row in index}
    if missing:
        raise BadInput(f"no photo of {sorted(missing)} can be read: {rejected[0]}; replace them")
    _write_header(file, len(index), size)
    reasons = Counter(row["reason"] for row in rejected)
    figures = {
        "photos": len(index),
        "exact_copies": len(index) - len({row["sha256"] for row in index}),
        "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
        "converted": dict(converted),
    }
    return index, rejected, figures


def _write_header(file, count, size):
    """Write the header of the array; its length is the same for every number of images."""
    file.seek(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, header)


def get_sizes(index):
    """Return original width and height, int64 of shape (n, 2), of an index from ``read_csv``."""
    return np.column_stack([index["width"], index["height"]]).astype(int)
