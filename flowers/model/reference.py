"""The reference set: the test images of a model, with which traffic is compared."""

from dataclasses import dataclass

import numpy as np

from flowers.base.parallel import drop_pages
from flowers.base.tables import read_csv
from flowers.images.statistics import STATISTIC_NAMES, compute_statistics, flatten_statistics

# Copied from the table of predictions; path and sha256 identify the image.
COPIED = ("row", "group", "label", "path", "sha256")


@dataclass(frozen=True)
class Reference:
    """The reference set of a model, one row per test image.

    Attributes
    ----------
    classes : list of str
        In the order of the probabilities.
    row : ndarray of shape (m,), int
        Row of the image in ``data/images.npy``.
    group : ndarray of shape (m,), int
        Near-duplicates share a group.
    truth : ndarray of shape (m,), int
        Index of the label in `classes`.
    probabilities : ndarray of shape (m, n_classes), float32
    image : ndarray of shape (m, 8), float32
        Image statistics, in the order of ``flowers.images.statistics.STATISTIC_NAMES``.
    typicality : ndarray of shape (m,), float32, or None
        From ``flowers.model.typicality``; models of earlier versions have none.
    """

    classes: list
    row: np.ndarray
    group: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray
    image: np.ndarray
    typicality: np.ndarray | None = None

    def select(self, rows):
        """Return the reference set of `rows`, shape (k,); a row may occur more than once."""
        columns = (self.row, self.group, self.truth, self.probabilities, self.image)
        typicality = None if self.typicality is None else self.typicality[rows]
        return Reference(self.classes, *(column[rows] for column in columns), typicality)


def build_reference_rows(predictions, images, name, X, typicality):
    """Yield the rows of a reference set as dicts: predictions and statistics of each test image.

    Parameters
    ----------
    predictions : dict of column to ndarray of shape (n,), str
        With `COPIED` and a column ``{name}_{class}`` for each class, in the order of the model.
    images : ndarray of shape (m, s, s, 3), uint8
        All images of the study, indexed by ``row``.
    name : str
        Name of the model.
    X : ndarray of shape (m, d)
        Features of all images.
    typicality : flowers.model.typicality.Typicality
    """
    columns = [column for column in predictions if column.startswith(f"{name}_")]
    for i, row in enumerate(predictions["row"]):
        line = {column: predictions[column][i] for column in COPIED}
        line |= {f"p{column.removeprefix(name)}": predictions[column][i] for column in columns}
        values = flatten_statistics(compute_statistics(images[int(row)]))
        score = typicality.score_rows(X[int(row)][None])[0]
        drop_pages(X)
        drop_pages(images)
        yield (
            line
            | {f"image_{key}": value for key, value in zip(STATISTIC_NAMES, values, strict=True)}
            | {"typicality": f"{score:.6f}"}
        )


def read_reference(path):
    """Read the `Reference` of a CSV file; image statistics that the file lacks are NaN."""
    rows = read_csv(path)
    classes = [column.removeprefix("p_") for column in rows if column.startswith("p_")]
    missing = np.full(len(rows["row"]), "nan")
    return Reference(
        classes=classes,
        row=rows["row"].astype(int),
        group=rows["group"].astype(int),
        truth=np.array([classes.index(label) for label in rows["label"]]),
        probabilities=np.column_stack([rows[f"p_{c}"] for c in classes]).astype("f4"),
        image=np.column_stack(
            [rows.get(f"image_{name}", missing) for name in STATISTIC_NAMES]
        ).astype("f4"),
        typicality=rows["typicality"].astype("f4") if "typicality" in rows else None,
    )
