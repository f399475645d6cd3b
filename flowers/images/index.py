"""The index of the photos: a row for each that can be decoded, a reason for each that cannot."""

from collections import Counter
from hashlib import sha256

import numpy as np

from flowers.base.errors import BadInput, RejectedImage
from flowers.images.decoding import NOTES, load_pixels

INDEX_COLUMNS = ("row", "label", "path", "sha256", "width", "height")
REJECTED_COLUMNS = ("label", "path", "reason", "detail")


def load_image(path, size):
    """Decode one photo.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is its label.
    size : int
        Pixels a side.

    Returns
    -------
    pixels : ndarray of shape (size, size, 3), uint8, or None
        None if it cannot be decoded.
    row : dict
        Of ``INDEX_COLUMNS`` without ``row``; of ``REJECTED_COLUMNS`` if it cannot be decoded.
    notes : sequence of str
        Of ``flowers.images.decoding.NOTES``.
    """
    data = path.read_bytes()
    row = {"label": path.parent.name, "path": f"{path.parent.name}/{path.name}"}
    try:
        pixels, (width, height), notes = load_pixels(data, size)
    except RejectedImage as error:
        return None, row | {"reason": error.reason, "detail": error.detail}, ()
    row |= {"sha256": sha256(data).hexdigest(), "width": width, "height": height}
    return pixels, row, notes


def write_images(results, file, size):
    """Write what is decoded as an array (.npy), photo by photo, and note what was met.

    Parameters
    ----------
    results : iterable
        From `load_image`.
    file : file object
        Empty, open for writing bytes.
    size : int
        Pixels a side.

    Returns
    -------
    index, rejected : list of dict
    figures : dict

    Raises
    ------
    BadInput
        If no photo of a class can be read.
    """
    index, rejected, treated = [], [], Counter(dict.fromkeys(NOTES, 0))
    _write_head(file, 0, size)
    for pixels, row, notes in results:
        treated.update(notes)
        if pixels is None:
            rejected.append(row)
        else:
            file.write(pixels)
            index.append({"row": len(index)} | row)
    lost = {row["label"] for row in rejected} - {row["label"] for row in index}
    if lost:
        raise BadInput(f"no photo of {sorted(lost)} can be read: {rejected[0]}; replace them")
    _write_head(file, len(index), size)
    reasons = Counter(row["reason"] for row in rejected)
    figures = {
        "photos": len(index),
        "exact_copies": len(index) - len({row["sha256"] for row in index}),
        "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
        "converted": dict(treated),
    }
    return index, rejected, figures


def _write_head(file, count, size):
    """Write the head of the array, which is as long for any number of photos."""
    file.seek(0)
    about = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, about)


def get_sizes(index):
    """Width and height of the photos of an index.

    Parameters
    ----------
    index : dict of column to ndarray of str
        As ``flowers.base.tables.read_csv`` reads it.

    Returns
    -------
    ndarray of shape (n, 2), int64
    """
    return np.column_stack([index["width"], index["height"]]).astype(int)
