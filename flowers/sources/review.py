"""What a person decided of single photos: leave one out, or file it under another class."""

import csv
import hashlib
import re
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.base.tables import unescape_cell

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Review:
    """Two lists of photos, each a CSV file whose column ``sha256`` says which photo is meant.

    A photo is known by its bytes, because its name changes with the archive it comes in. Other
    columns than those below are for the reader, so that lines of ``suspects.csv`` may be copied.

    Parameters
    ----------
    exclude : path-like
        Photos to leave out; with a ``label``, only the copy that is filed under it.
    relabel : path-like
        Photos to file under ``label``.

    Raises
    ------
    BadInput
        If a file is missing or a line is not of this form, or decides against another line.
    """

    def __init__(self, exclude, relabel):
        self._relabel = relabel
        excluded, relabelled = _lines(exclude), _lines(relabel)
        self._excluded = {(row["sha256"], row["label"]) for row in excluded}
        self._labels = {}
        for row in relabelled:
            digest, label = row["sha256"], row["label"]
            if not label or "/" in label or label.startswith("."):
                raise BadInput(f"{relabel}: {label!r} for {digest} is no class: name its folder")
            if self._labels.setdefault(digest, label) != label:
                raise BadInput(f"{relabel}: {digest} has two labels: keep one of its lines")
        both = sorted(self._labels.keys() & {digest for digest, _ in self._excluded})
        if both:
            raise BadInput(f"{both[0]} is in {exclude} and in {relabel}: keep it in one of them")
        self._found = {"excluded": set(), "relabelled": set()}

    def label_of(self, label, content):
        """Give the class a photo goes to, or None if it is left out.

        Parameters
        ----------
        label : str
            The class it is filed under.
        content : bytes

        Returns
        -------
        str or None
        """
        digest = hashlib.sha256(content).hexdigest()
        for line in ((digest, label), (digest, "")):
            if line in self._excluded:
                self._found["excluded"].add(line)
                return None
        if digest in self._labels:
            self._found["relabelled"].add(digest)
        return self._labels.get(digest, label)

    def figures(self, classes):
        """Count the lines, and those that met a photo.

        Parameters
        ----------
        classes : collection of str
            Those of the source.

        Returns
        -------
        dict

        Raises
        ------
        BadInput
            If a photo was relabelled to none of them.
        """
        for digest in sorted(self._found["relabelled"]):
            if (label := self._labels[digest]) not in classes:
                raise BadInput(
                    f"{self._relabel}: {digest} has the label {label!r}, which is no class of "
                    f"these photos: use one of {', '.join(sorted(classes))}"
                )
        listed = {"excluded": len(self._excluded), "relabelled": len(self._labels)}
        return {
            name: {"listed": count, "found": len(self._found[name])}
            for name, count in listed.items()
        }


def _lines(path):
    """Rows of a list, their ``sha256`` in lower case, their ``label`` empty where there is none."""
    try:
        # Spreadsheets put a byte order mark in front.
        text = Path(path).read_text(encoding="utf-8-sig")
        reader = csv.DictReader(text.splitlines())
        header, lines = reader.fieldnames, [(reader.line_num, row) for row in reader]
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
                f"{path}, line {number}: {digest[:80]!r} is no SHA-256 digest of a photo; "
                "suspects.csv and index.csv have them"
            )
        label = unescape_cell(row.get("label") or "")  # of a line of label_issues.csv
        rows.append({"sha256": digest.lower(), "label": label.strip()})
    return rows
