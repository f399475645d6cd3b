"""Files as the stages write them: whole or not at all, the same bytes for the same content."""

import csv
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

DIGITS = 4


def rounded(value, digits=DIGITS):
    """`value` with every float in it at `digits` significant digits, numpy types made plain."""
    if isinstance(value, dict):
        return {key: rounded(v, digits) for key, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(v, digits) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{digits}g}")
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def whole(path):
    """A temporary path beside `path` that takes its place if the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    _remove(partial)
    try:
        yield partial
        _remove(path)
        os.replace(partial, path)
    finally:
        _remove(partial)


def _remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def write_json(path, content):
    """Indented JSON, floats at 4 significant digits."""
    with whole(path) as partial:
        partial.write_text(json.dumps(rounded(content), indent=2, allow_nan=False) + "\n")


def read_json(path):
    return json.loads(Path(path).read_text())


def write_csv(path, rows, columns):
    """Rows of dicts under a header, which stands there even without rows."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path):
    """A CSV file as a dict of column name to array of str."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return {name: np.array(column) for name, column in zip(header, columns, strict=True)}


def progress(items, **options):
    """A progress bar where a person watches, nothing in a log file."""
    return tqdm(items, disable=None, leave=False, **options)


def load_rows():
    """The rows of data/split.csv: groups as numbers, ``train`` as a mask."""
    rows = read_csv("data/split.csv")
    return rows | {"group": rows["group"].astype(int), "train": rows["part"] == "train"}


def save_model(model, path):
    """A fitted estimator by joblib, uncompressed, so that its arrays can be mapped."""
    with whole(path) as partial:
        joblib.dump(model, partial, protocol=5)
