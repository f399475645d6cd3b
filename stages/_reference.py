"""The reference of a model: its answers on held-out photos, which travel in its folder."""

import numpy as np

from flowers.photos.statistics import NAMES, flat, statistics
from stages._files import read_csv


def reference_rows(rows, images, name, classes):
    """One row per held-out photo: what the model `name` says of it and what it looks like.

    `rows` is metrics/predictions.csv as columns, `images` all photos, (n, s, s, 3) uint8.
    """
    for i, row in enumerate(rows["row"]):
        line = {key: rows[key][i] for key in ("row", "group", "label")}
        line |= {f"p_{c}": rows[f"{name}_{c}"][i] for c in classes}
        seen = flat(statistics(images[int(row)]))
        yield line | {f"image_{key}": value for key, value in zip(NAMES, seen, strict=True)}


def read_reference(path):
    """Its columns as arrays: ``classes``, ``row``, ``group``, ``label``, ``probabilities`` and
    ``image``, the last two (m, d) float32 as in the snapshot.
    """
    rows = read_csv(path)
    classes = [key.removeprefix("p_") for key in rows if key.startswith("p_")]
    return {
        "classes": classes,
        "row": rows["row"].astype(int),
        "group": rows["group"].astype(int),
        "label": rows["label"],
        "probabilities": np.column_stack([rows[f"p_{c}"] for c in classes]).astype("f4"),
        "image": np.column_stack([rows[f"image_{key}"] for key in NAMES]).astype("f4"),
    }
