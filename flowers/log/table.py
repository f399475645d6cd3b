"""The log as a table: the newest predictions of one model, joined with true labels."""

import math
from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.images.statistics import STATISTIC_NAMES
from flowers.log import day_files, record
from flowers.log.record import KINDS, UNKNOWN, NotFinite

BATCH = 10_000  # rows kept as Python objects, ten times the size of the array they become
COUNTERS = """predictions repeats canary other_model duplicates
    torn malformed not_finite unknown_kind in_the_future days_unreadable
    labels labels_replaced labels_of_unknown_class
    labels_without_prediction labels_of_unread_days""".split()
# Most bits of the hash in which a photo that was saved again differs. This holds for 97 % of 240
# real photos saved as JPEG of quality 85, and for 90 % of them reduced to 64 pixels a side; no pair
# of different photos is as close.
MAX_BITS = 6
NEARBY = 100  # predictions before each that are compared: different photos are alike by chance
# Of the scorer: a request id has at most 64 characters.
REQUEST = ("request_id", "S64"), ("index", "i4")


def build_row_dtype(n_classes):
    """Build the dtype of a row of the table.

    Returns
    -------
    dtype
        ``time`` (UTC, microseconds), ``request_id`` (ASCII, cut to 64 bytes), ``index`` of the
        image in the request, ``truth`` (class index, ``UNKNOWN`` without a true label),
        ``probabilities`` (n_classes,), ``image`` (8,) statistics and ``typicality``, all float32.
    """
    arrays = {"probabilities": n_classes, "image": len(STATISTIC_NAMES)}
    columns = [(name, "f4", (width,)) for name, width in arrays.items()]
    columns.append(("typicality", "f4"))
    return np.dtype([("time", "M8[us]"), *REQUEST, ("truth", "i2"), *columns])


def read_log(directory, model, limit, progress=iter):
    """Read the newest predictions of a model with their true labels, each image once.

    Days that are older than the newest `limit` predictions are not opened. Nothing in a log is
    fatal: unusable lines and files are counted.

    Parameters
    ----------
    directory : path-like
        Of the log; may be missing.
    model : dict
        ``classes`` (sequence of str, in the order of the model) and ``md5`` of the model file.
    limit : int
        Most predictions to return.
    progress : callable, optional
        Wraps the list of day files.

    Returns
    -------
    rows : ndarray of shape (at most `limit`,), dtype from `build_row_dtype`
        In the order of time.
    counts : dict
        ``days``, ``days_read`` and each of ``COUNTERS``.

    Raises
    ------
    BadInput
        If `directory` is a file.

    Examples
    --------
    Two predictions and one true label, logged and read back:

    >>> from tempfile import TemporaryDirectory
    >>> from flowers.log.day_files import append_records
    >>> image = {"mean": [0.5] * 3, "std": [0.2] * 3, "brightness": 0.5, "sharpness": 0.1}
    >>> prediction = {"kind": "prediction", "role": "production", "model_md5": "c0ffee"}
    >>> prediction |= {"time": "2026-01-01T12:00:00+00:00", "index": 0, "image": image}
    >>> records = [
    ...     prediction | {"request_id": "a", "probabilities": {"Lotus": 0.9, "Tulip": 0.1}},
    ...     prediction
    ...     | {"time": "2026-01-01T12:01:00+00:00", "request_id": "b"}
    ...     | {"probabilities": {"Lotus": 0.4, "Tulip": 0.6}},
    ...     {"kind": "feedback", "time": "2026-01-01T12:05:00+00:00", "index": 0}
    ...     | {"request_id": "b", "true_label": "Tulip"},
    ... ]
    >>> with TemporaryDirectory() as directory:
    ...     size = append_records(directory, records)
    ...     model = {"classes": ["Lotus", "Tulip"], "md5": "c0ffee"}
    ...     rows, counts = read_log(directory, model, limit=100)
    >>> rows["probabilities"].argmax(axis=1).tolist(), rows["truth"].tolist()
    ([0, 1], [-1, 1])
    >>> counts["days_read"], counts["predictions"], counts["labels"], counts["torn"]
    (1, 2, 1, 0)
    """
    if Path(directory).exists() and not Path(directory).is_dir():
        raise BadInput(f"LOG_DIR={directory} is not a folder: name the folder of the log")
    rows, labels, keys, counts = parse_lines((), **model)
    parts = [rows]
    others = [keys]
    days_read = 0
    paths = sorted(Path(directory).glob(day_files.FILE_PATTERN), reverse=True)
    for path in progress(paths):
        if sum(map(len, parts)) >= limit:
            break
        days_read += 1
        try:
            if not path.is_file():  # reading a pipe or device would block
                raise OSError(f"{path} is not a file")
            with path.open("rb") as lines:
                written = day_files.read_write_time(path)
                rows, new_labels, keys, new_counts = parse_lines(lines, **model, written=written)
        except OSError:  # a folder of that name, or no permission
            counts["days_unreadable"] += 1
            continue
        counts.update(new_counts)
        counts["labels_replaced"] += len(new_labels.keys() & labels.keys())
        # A label comes after its prediction: its day has been read before, or is this one.
        labels = new_labels | labels
        parts.append(rows)
        others.append(keys)
    rows, joined = join_labels(np.concatenate(parts), labels, np.concatenate(others), limit)
    if days_read < len(paths):  # the predictions may be in the days that were not read
        joined["labels_of_unread_days"] = joined.pop("labels_without_prediction")
    days = {"days": len(paths), "days_read": days_read}
    return rows, days | {name: counts[name] + joined[name] for name in COUNTERS}


def parse_lines(lines, classes, md5, written=None):
    """Parse lines of the log into rows of one model, true labels, and counts of the rest.

    Parameters
    ----------
    lines : iterable of bytes
    classes : sequence of str
    md5 : str
        MD5 of the model file.
    written : int, optional
        Last write to the file, microseconds since 1970; later records are skipped
        (``day_files.CLOCK_TOLERANCE``).

    Returns
    -------
    rows : ndarray of shape (n,)
        Dtype of `build_row_dtype` with ``key``, ``photo`` and ``hash`` before it; in the order of
        the lines.
    labels : dict of key to int
        Class index; the last label of a key counts.
    others : ndarray of key
        Predictions of other models.
    counts : Counter
    """
    parser = _Parser(classes, md5, written)
    batches = []
    identity = (("key", "u8"), ("photo", "u8"), ("hash", "u8"))
    dtype = np.dtype([*identity, *build_row_dtype(len(classes)).descr])
    for line in lines:
        if not line.strip():
            continue
        if (parsed := record.parse_line(line)) is None:
            parser.counts["torn"] += 1
            continue
        try:
            parser.add_record(parsed)
        except NotFinite:
            parser.counts["not_finite"] += 1
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
            parser.counts["malformed"] += 1
        if len(parser.rows) == BATCH:
            batches.append(np.array(parser.rows, dtype))
            parser.rows.clear()
    rows = np.concatenate([*batches, np.array(parser.rows, dtype)])
    return rows, parser.labels, np.array(parser.others, np.uint64), parser.counts


class _Parser:
    """Rows, labels and counts of the lines that `parse_lines` has read."""

    def __init__(self, classes, md5, written):
        self.classes = classes
        self.md5 = md5
        self.latest = math.inf if written is None else written + day_files.CLOCK_TOLERANCE
        self.counts = Counter()
        self.labels = {}
        self.others = array("Q")
        self.rows = []

    def add_record(self, parsed):
        if parsed["kind"] not in KINDS:
            self.counts["unknown_kind"] += 1
        elif record.parse_time(parsed) > self.latest:
            self.counts["in_the_future"] += 1
        elif parsed["kind"] == "feedback":
            self.add_label(record.hash_key(parsed), parsed["true_label"])
        elif parsed["role"] != "production":
            self.counts["canary"] += 1
        elif parsed["model_md5"] != self.md5:
            self.counts["other_model"] += 1
            self.others.append(record.hash_key(parsed))
        else:
            self.rows.append(record.build_row(parsed, self.classes))

    def add_label(self, key, name):
        self.counts["labels"] += 1
        if name in self.classes:
            self.counts["labels_replaced"] += key in self.labels
            self.labels[key] = self.classes.index(name)
        else:
            self.counts["labels_of_unknown_class"] += 1


def join_labels(rows, labels, others, limit):
    """Sort rows by time, drop duplicates and repeats, keep the newest `limit`, join true labels.

    Duplicates have the key of an earlier prediction, repeats its image.

    Parameters
    ----------
    rows, labels, others
        From `parse_lines`.
    limit : int

    Returns
    -------
    rows : ndarray of shape (at most `limit`,), dtype from `build_row_dtype`
    counts : Counter
    """
    rows = rows[np.lexsort((rows["key"], rows["time"]))]
    unique_keys, first = np.unique(rows["key"], return_index=True)
    keys = np.fromiter(labels, np.uint64, len(labels))
    predicted = np.isin(keys, unique_keys) | np.isin(keys, others)
    counts = Counter(
        duplicates=len(rows) - len(unique_keys), labels_without_prediction=int((~predicted).sum())
    )
    rows = rows[np.sort(first)[-limit:]]
    order = np.argsort(keys)
    keys = keys[order]
    codes = np.fromiter(labels.values(), np.int16, len(labels))[order]
    if len(keys):
        match = np.minimum(np.searchsorted(keys, rows["key"]), len(keys) - 1)
        rows["truth"] = np.where(keys[match] == rows["key"], codes[match], UNKNOWN)
    counts["predictions"] = len(rows)
    rows = drop_repeats(rows)
    counts["repeats"] = counts["predictions"] - len(rows)
    table = np.empty(len(rows), build_row_dtype(rows["probabilities"].shape[1]))
    for name in table.dtype.names:
        table[name] = rows[name]
    return table, counts


def find_near_repeats(hashes):
    """Find the earliest of the ``NEARBY`` images before each whose hash is nearly the same.

    Parameters
    ----------
    hashes : ndarray of shape (n,), uint64
        ``flowers.images.statistics.compute_hash``; 0 if unknown, equal to no other.

    Returns
    -------
    ndarray of shape (n,), int
        Its position; the own position if there is none.
    """
    origin = np.arange(len(hashes))
    for lag in range(1, min(NEARBY + 1, len(hashes))):
        near = np.bitwise_count(hashes[lag:] ^ hashes[:-lag]) <= MAX_BITS
        near &= (hashes[lag:] != 0) & (hashes[:-lag] != 0)
        origin[lag:][near] = np.flatnonzero(near)
    return origin


def drop_repeats(rows):
    """Keep the first prediction of each image, with the first true label of any of its repeats.

    Real traffic repeats images: a client retries, sends a thumbnail and the full size, or several
    clients send the same file. Repeats add no information, and tests that count them as independent
    images raise false alarms. Images are equal if their files are (``photo``; 0 if unknown), or
    their probabilities and statistics, or nearly their hash (`find_near_repeats`). `rows` are in
    the order of time.
    """
    if not len(rows):
        return rows
    content = np.concatenate([rows["probabilities"], rows["image"]], axis=1)
    # Compared as bytes: a missing statistic, NaN, must equal itself.
    content = np.ascontiguousarray(content).view(f"V{content.dtype.itemsize * content.shape[1]}")
    _, first, inverse = np.unique(content.ravel(), return_index=True, return_inverse=True)
    by_content = first[inverse]
    _, first, inverse = np.unique(rows["photo"], return_index=True, return_inverse=True)
    by_photo = np.where(rows["photo"] == 0, by_content, by_content[first[inverse]])
    origin = np.minimum(np.minimum(by_content, by_photo), find_near_repeats(rows["hash"]))
    while (origin != origin[origin]).any():  # equality is transitive
        origin = origin[origin]
    first = np.unique(origin)
    kept = rows[first]
    labelled = np.flatnonzero(rows["truth"] != UNKNOWN)[::-1]
    # Assigned from the newest to the oldest, so the first label of an image stays.
    truth = np.full(len(rows), UNKNOWN, rows["truth"].dtype)
    truth[origin[labelled]] = rows["truth"][labelled]
    kept["truth"] = truth[first]
    return kept
