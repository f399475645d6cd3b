"""Text, JSON and CSV files, written atomically; the same content gives the same bytes."""

import csv
import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np

DIGITS = 4
# Text that a spreadsheet runs as a formula, apostrophes in front or not; a number is none.
_FORMULA = re.compile(r"'*(?:[=@\t\r]|[+-](?![\d.]+$))")


def round_floats(value, digits=DIGITS):
    """Round every float in `value` to significant digits, and convert numpy to Python types.

    Examples
    --------
    >>> round_floats({"accuracy": 0.123456, "counts": (1, 2)})
    {'accuracy': 0.1235, 'counts': [1, 2]}
    """
    if isinstance(value, dict):
        return {key: round_floats(v, digits) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [round_floats(v, digits) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{digits}g}")
    return value.item() if isinstance(value, np.generic) else value


def format_share(value):
    """Format a share such as an accuracy with three decimals: first rounded as in the JSON files.

    So a figure has the same digits wherever it is shown, computed or read from a file.

    Examples
    --------
    >>> format_share(0.78947), format_share(0.7895)
    ('0.789', '0.789')
    """
    return f"{round_floats(float(value)):.3f}"


def format_percent(value):
    """Format a share as a percentage with the digits of `format_share`.

    Examples
    --------
    >>> format_percent(0.78947), format_percent(0.7895)
    ('78.9 %', '78.9 %')
    """
    return f"{100 * float(format_share(value)):.1f} %"


@contextmanager
def atomic_write(path):
    """Yield a temporary path; it replaces `path` if the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    _delete(partial)
    try:
        yield partial
        _delete(path)
        os.replace(partial, path)
    finally:
        _delete(partial)


def _delete(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def write_text(path, text):
    """Write a text file, UTF-8."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path, content):
    """Write indented JSON, floats at 4 significant digits."""
    write_text(path, json.dumps(round_floats(content), indent=2, allow_nan=False) + "\n")


def read_json(path):
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def escape_cell(value):
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    Examples
    --------
    >>> [escape_cell(value) for value in ("Tulip", "=1+1", "-0.5", -0.5)]
    ['Tulip', "'=1+1", '-0.5', -0.5]
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def unescape_cell(text):
    """Undo `escape_cell` on a cell that was read.

    Examples
    --------
    >>> [unescape_cell(escape_cell(text)) for text in ("Tulip", "=1+1", "'=1+1")]
    ['Tulip', '=1+1', "'=1+1"]
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def write_csv(path, rows, columns=None, escape=False):
    """Write dicts as rows under a header.

    Parameters
    ----------
    path : path-like
    rows : list of dict
    columns : sequence of str, optional
        Those of the first row if not given; without rows they make the file.
    escape : bool
        Escape text with `escape_cell`: for files that people open in a spreadsheet.
    """
    columns = tuple(rows[0]) if columns is None else columns
    with atomic_write(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: escape_cell(v) for k, v in row.items()} if escape else row)


def to_rows(columns):
    """Turn columns of one length into rows.

    Parameters
    ----------
    columns : dict of column name to sequence

    Returns
    -------
    list of dict
    """
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read_csv(path, escaped=False):
    """Read a CSV file.

    Parameters
    ----------
    path : path-like
    escaped : bool
        Whether `write_csv` escaped it.

    Returns
    -------
    dict of column name to ndarray of str
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        return parse_csv(file, escaped)


def parse_csv(lines, escaped=False):
    """Parse the lines of a CSV file, such as an open file; see `read_csv`."""
    header, *rows = csv.reader(lines)
    if escaped:
        rows = [map(unescape_cell, row) for row in rows]
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return {name: np.array(column) for name, column in zip(header, columns, strict=True)}
