"""Reviewed labels: images to exclude, and images to move to another class."""

import csv
import hashlib
import re
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.base.tables import unescape_cell

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Review:
    """Two lists of images, each a CSV file with a column ``sha256``.

    An image is identified by its bytes, because its name changes with the archive. Other columns
    than those below are ignored, so that lines of ``metrics/label_issues.csv`` may be copied.

    Parameters
    ----------
    exclude : path-like
        Images to leave out; with a ``label``, only the copy in the folder of that class.
    relabel : path-like
        Images to move to the class ``label``.

    Raises
    ------
    BadInput
        If a file is missing, a line is malformed, or two lines contradict each other.
    """

    def __init__(self, exclude, relabel):
        self._relabel = relabel
        self._excluded = {(row["sha256"], row["label"]) for row in _read_rows(exclude)}
        self._labels = {}
        for row in _read_rows(relabel):
            digest = row["sha256"]
            label = row["label"]
            if not label or "/" in label or label.startswith("."):
                raise BadInput(f"{relabel}: {label!r} for {digest} is not a class: name its folder")
            if self._labels.setdefault(digest, label) != label:
                raise BadInput(f"{relabel}: {digest} has two labels: keep one of its lines")
        both = sorted(self._labels.keys() & {digest for digest, _ in self._excluded})
        if both:
            raise BadInput(f"{both[0]} is in {exclude} and in {relabel}: keep it in one of them")
        self._matched = {"excluded": set(), "relabelled": set()}

    def get_label(self, label, content):
        """Return the class of an image (bytes in the folder `label`), None if it is excluded."""
        digest = hashlib.sha256(content).hexdigest()
        for row in ((digest, label), (digest, "")):
            if row in self._excluded:
                self._matched["excluded"].add(row)
                return None
        if digest in self._labels:
            self._matched["relabelled"].add(digest)
        return self._labels.get(digest, label)

    def count_matches(self, classes):
        """Count the lines of each list, and those that matched an image.

        Returns
        -------
        dict of str to dict
            ``excluded`` and ``relabelled``, each with ``listed`` and ``matched``.

        Raises
        ------
        BadInput
            If an image was relabelled to a class that is not in `classes`.
        """
        for digest in sorted(self._matched["relabelled"]):
            if (label := self._labels[digest]) not in classes:
                raise BadInput(
                    f"{self._relabel}: {digest} has the label {label!r}, which is not a class of "
                    f"these photos: use one of {', '.join(sorted(classes))}"
                )
        listed = {"excluded": len(self._excluded), "relabelled": len(self._labels)}
        return {
            name: {"listed": count, "matched": len(self._matched[name])}
            for name, count in listed.items()
        }


def _read_rows(path):
    """Read a list: ``sha256`` in lower case, and ``label``, empty if the column is missing."""
    try:
        # Spreadsheets write a byte order mark.
        text = Path(path).read_text(encoding="utf-8-sig")
        reader = csv.DictReader(text.splitlines())
        header = reader.fieldnames
        lines = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{path} cannot be read ({error}): write a CSV file with the column sha256"
        ) from error
    if "sha256" not in (header or ()):
        raise BadInput(f"{path} has no column sha256: its first line must name the columns")
    rows = []
    for number, row in lines:
        digest = (row["sha256"] or "").strip()
        if not _DIGEST.fullmatch(digest.lower()):
            raise BadInput(
                f"{path}, line {number}: {digest[:80]!r} is not the SHA-256 of a photo; "
                "copy it from label_issues.csv or index.csv"
            )
        label = unescape_cell(row.get("label") or "")  # of a line of label_issues.csv
        rows.append({"sha256": digest.lower(), "label": label.strip()})
    return rows
