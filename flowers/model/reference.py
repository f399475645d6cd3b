"""The reference of a model: its answers on held-out photos, in the shape of the log's table."""

import numpy as np

from flowers.base.tables import read_csv
from flowers.images.statistics import STATISTIC_NAMES, compute_statistics, flatten_statistics

# Of a photo, which the path and digest name.
ABOUT = ("row", "group", "label", "path", "sha256")


def reference_rows(predictions, images, name):
    """Make one row per held-out photo: what a model says of it and what it looks like.

    Parameters
    ----------
    predictions : dict of column to ndarray of shape (n,), str
        With ``row``, ``group``, ``label``, ``path``, ``sha256`` and a column ``{name}_{class}`` for
        each class, in the order of the model's classes.
    images : ndarray of shape (m, s, s, 3), uint8
        All photos; ``row`` tells which.
    name : str
        Of the model.

    Yields
    ------
    dict
    """
    shares = [column for column in predictions if column.startswith(f"{name}_")]
    for i, row in enumerate(predictions["row"]):
        line = {column: predictions[column][i] for column in ABOUT}
        line |= {f"p{column.removeprefix(name)}": predictions[column][i] for column in shares}
        seen = flatten_statistics(compute_statistics(images[int(row)]))
        yield line | {
            f"image_{key}": value for key, value in zip(STATISTIC_NAMES, seen, strict=True)
        }


def read_reference(path):
    """Read the rows of `reference_rows` from a file.

    Returns
    -------
    dict
        ``classes`` (list), ``row``, ``group`` (int), ``label``, ``truth`` (index of the class),
        ``probabilities`` and ``image``, the last two (m, d) float32 as in the table of the log.
    """
    rows = read_csv(path)
    classes = [column.removeprefix("p_") for column in rows if column.startswith("p_")]
    return {
        "classes": classes,
        "row": rows["row"].astype(int),
        "group": rows["group"].astype(int),
        "label": rows["label"],
        "truth": np.array([classes.index(label) for label in rows["label"]]),
        "probabilities": np.column_stack([rows[f"p_{c}"] for c in classes]).astype("f4"),
        # A model of old has no sharpness.
        "image": np.column_stack(
            [
                rows.get(f"image_{name}", np.full(len(rows["row"]), "nan"))
                for name in STATISTIC_NAMES
            ]
        ).astype("f4"),
    }
