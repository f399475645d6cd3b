"""Read the labels of photos from a table: ``labels.csv`` beside them."""

import codecs
import csv
import io
import re
import unicodedata
from pathlib import PurePosixPath

from flowers.base.errors import BadInput
from flowers.sources.folders import Member, find_parts
from flowers.sources.names import PARTS, check_distinct, find_part, normalise_label, shorten_name

NAME = "labels.csv"
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16"}
_ENCODINGS |= {codecs.BOM_UTF16_BE: "utf-16"}
_UNSAFE = re.compile(r"/|[A-Za-z]:|(.*/)?\.\.(/|$)|.*\0", re.DOTALL)


def find_label_table(root, files, source):
    """Return the path of the table below `root` and its rows.

    Parameters
    ----------
    root : pathlib.Path
    files : iterable of pathlib.PurePosixPath
        See `flowers.sources.folders.list_tree`.
    source : path-like
        The name of `root` in errors.

    Returns
    -------
    table : pathlib.PurePosixPath or None
        None if there is no table with the columns ``file`` and ``label``.
    rows : list of dict
        The "line" (int), "file", "label" and "part" of each row; "part" is None without the column.

    Raises
    ------
    BadInput
        If there are several tables, or the table cannot be read.
    """
    paths = [path for path in files if path.name.casefold() == NAME]
    tables = []
    for path in paths:
        rows = _read_rows(root / path, f"{source}: {path}")
        if rows is not None:
            tables.append((path, rows))
    if len(tables) > 1:
        raise BadInput(
            f"{source} has {str(tables[0][0])!r} and {str(tables[1][0])!r}: write one table for "
            "all photos"
        )
    return tables[0] if tables else (None, [])


def _read_rows(path, name):
    """Read the rows, separated by comma, semicolon or tab; None without the two columns."""
    try:
        content = path.read_bytes()
        encoding = next((e for mark, e in _ENCODINGS.items() if content.startswith(mark)), "utf-8")
        text = content.decode(encoding)
        for delimiter in ",;\t":
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            columns = [name.strip().casefold() for name in next(reader, ())]
            if {"file", "label"} <= set(columns):
                return [_read_row(reader.line_num, columns, cells) for cells in reader if cells]
        return None
    except (OSError, csv.Error) as error:
        raise BadInput(f"{name} cannot be read ({error}): write a CSV file, UTF-8") from error
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name} is not UTF-8 (byte {error.start} is 0x{error.object[error.start]:02x}): save "
            "it as CSV UTF-8"
        ) from error


def _read_row(line, columns, cells):
    cells = dict(zip(columns, map(str.strip, cells), strict=False))
    part = cells.get("part", "") if "part" in columns else None
    return {
        "line": line,
        "file": cells.get("file", ""),
        "label": cells.get("label", ""),
        "part": part,
    }


def match_label_table(table, rows, files, source):
    """Match the rows of a table with the files; every file and row is used or rejected.

    Parameters
    ----------
    table, rows, source
        See `find_label_table`.
    files : dict of pathlib.PurePosixPath to str or None
        See `flowers.sources.folders.list_tree`.

    Returns
    -------
    members : list of flowers.sources.folders.Member
        Sorted by class and path.
    rejected : dict of str to str
        Rows and files that are left out, by path, with the reason.

    Raises
    ------
    BadInput
        If no row names a file, or a class or a part has an unsuitable name.
    """
    name = f"{source}: {table}"
    known = {_fold_path(path): path for path in files}
    labels = {}
    rejected = {}
    for row in rows:
        raw = row["file"].replace("\\", "/")
        place = shorten_name(raw) or f"{table}, line {row['line']}"
        path = known.get(_fold_path(table.parent / raw))
        entry = _read_entry(row, f"{name}, line {row['line']}")
        if _UNSAFE.match(raw):
            rejected[place] = f"an unsafe path in {NAME}"
        elif path is None or path == table:
            rejected[place] = f"in {NAME}, but missing"
        elif not row["label"]:
            rejected[str(path)] = f"without a label in {NAME}"
        elif labels.setdefault(path, entry) != entry:
            rejected[str(path)] = f"with two labels or parts in {NAME}"
    labels = {path: entry for path, entry in labels.items() if str(path) not in rejected}
    if not labels:
        example = rows[0]["file"][:200] if rows else ""
        raise BadInput(
            f"{name} names no file beside it, such as {example!r}: write the path of each photo "
            "below its folder, or name the table in fetch.ignore"
        )
    check_distinct({label: label for label, _ in labels.values()}, name)
    parts = _choose_parts(labels, source, name)
    members = [Member(path, labels[path][0], parts[path]) for path in labels]
    for path in sorted(files.keys() - labels.keys() - {table}, key=str):
        rejected.setdefault(str(path), files[path] or f"not in {NAME}")
    return sorted(members, key=lambda m: (m.label, str(m.path))), rejected


def _fold_path(path):
    """Return a path in Unicode form NFC; archives made on macOS have another one."""
    return unicodedata.normalize("NFC", str(PurePosixPath(path)))


def _read_entry(row, place):
    """Return class and part of a row; the part is None without the column."""
    part = row["part"] and find_part(row["part"])
    if row["part"] and not part:
        raise BadInput(f"{place}: part {row['part'][:80]!r} is none of {', '.join(PARTS)}")
    try:
        return normalise_label(row["label"]) if row["label"] else "", part
    except BadInput as error:
        raise BadInput(f"{place}: {error}") from error


def _choose_parts(labels, source, name):
    """Take the parts of the column, or else of the folders; one part alone is no split."""
    parts = {path: part for path, (_, part) in labels.items()}
    if None in parts.values():
        return find_parts(list(parts), source)
    if "" in parts.values() and any(parts.values()):
        path = next(path for path, part in parts.items() if not part)
        raise BadInput(f"{name} has no part for {str(path)!r}: fill the column part, or delete it")
    return parts if len(set(parts.values())) > 1 else dict.fromkeys(parts, "")
