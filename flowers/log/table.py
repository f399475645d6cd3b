"""From lines of the log to rows of numbers: the answers of one model, joined with true labels."""

import math
from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from flowers.images.statistics import STATISTIC_NAMES
from flowers.log import days, record
from flowers.log.record import KINDS, UNKNOWN, NotFinite
from flowers.log.repeats import first_of_repeats

# Rows that wait as Python objects, ten times the size of the array they become.
BATCH = 10_000
COUNTED = (
    *("predictions", "repeats", "canary", "other_model", "duplicates"),
    *("torn", "malformed", "not_finite", "unknown_kind", "in_the_future", "days_unreadable"),
    *("labels", "labels_replaced", "labels_of_unknown_class"),
    *("labels_without_prediction", "labels_of_unread_days"),
)


def row_type(n_classes):
    """Type of a row: ``time`` (UTC), ``truth`` (index of the class, or -1), numbers as float32."""
    return np.dtype(
        [
            *(("time", "M8[us]"), ("truth", "i2")),
            *(("probabilities", "f4", (n_classes,)), ("image", "f4", (len(STATISTIC_NAMES),))),
        ]
    )


def project(lines, classes, md5, written=None):
    """Take the answers of a model, the true labels and all other keys from a part of the log.

    Nothing in a log is fatal: what is of no use is counted.

    Parameters
    ----------
    lines : iterable of bytes
    classes : sequence of str
        Of the model, in its order.
    md5 : str
        Of the model file.
    written : int, optional
        When the lines were written last, in microseconds since 1970; what is more than a day later
        is set aside.

    Returns
    -------
    rows : ndarray of shape (n,)
        `row_type` and the ``key`` and ``photo`` of each, as written.
    labels : dict of key to int
        Index of the class; the last label of a key wins.
    others : ndarray of key
        Of answers by other models.
    counted : Counter
    """
    part, batches = _Part(classes, md5, written), []
    dtype = np.dtype([("key", "u8"), ("photo", "u8"), *row_type(len(classes)).descr])
    for line in lines:
        if not line.strip():
            continue
        if (found := record.parsed(line)) is None:
            part.counted["torn"] += 1
            continue
        try:
            part.take(found)
        except NotFinite:
            part.counted["not_finite"] += 1
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
            part.counted["malformed"] += 1
        if len(part.rows) == BATCH:
            batches.append(np.array(part.rows, dtype))
            part.rows.clear()
    rows = np.concatenate([*batches, np.array(part.rows, dtype)])
    return rows, part.labels, np.array(part.others, np.uint64), part.counted


class _Part:
    """What `project` has found so far."""

    def __init__(self, classes, md5, written):
        self.classes, self.md5 = classes, md5
        self.latest = math.inf if written is None else written + days.DAY
        self.counted, self.labels, self.others, self.rows = Counter(), {}, array("Q"), []

    def take(self, found):
        if found["kind"] not in KINDS:
            self.counted["unknown_kind"] += 1
        elif record.moment(found) > self.latest:
            self.counted["in_the_future"] += 1
        elif found["kind"] == "feedback":
            self.label(record.key(found), found["true_label"])
        elif found["role"] != "production":
            self.counted["canary"] += 1
        elif found["model_md5"] != self.md5:
            self.counted["other_model"] += 1
            self.others.append(record.key(found))
        else:
            self.rows.append(record.row(found, self.classes))

    def label(self, key, name):
        self.counted["labels"] += 1
        if name in self.classes:
            self.counted["labels_replaced"] += key in self.labels
            self.labels[key] = self.classes.index(name)
        else:
            self.counted["labels_of_unknown_class"] += 1


def join(rows, labels, others, limit):
    """Put rows in the order of time, each answer and each photo once, with its true label.

    Parameters
    ----------
    rows : ndarray of shape (n,)
    labels : dict of key to int
    others : ndarray of key
        As of `project`.
    limit : int
        Keep the newest so many.

    Returns
    -------
    ndarray of shape (at most `limit`,), `row_type`
    counted : Counter
        Answers that repeat the key of an earlier one, answers about a photo that was there before,
        and labels that no answer asked for.
    """
    rows = rows[np.lexsort((rows["key"], rows["time"]))]
    known, first = np.unique(rows["key"], return_index=True)
    keys = np.fromiter(labels, np.uint64, len(labels))
    answered = np.isin(keys, known) | np.isin(keys, others)
    counted = Counter(
        duplicates=len(rows) - len(known), labels_without_prediction=int((~answered).sum())
    )
    rows = rows[np.sort(first)[-limit:]]
    order = np.argsort(keys)
    keys, codes = keys[order], np.fromiter(labels.values(), np.int16, len(labels))[order]
    if len(keys):
        place = np.minimum(np.searchsorted(keys, rows["key"]), len(keys) - 1)
        rows["truth"] = np.where(keys[place] == rows["key"], codes[place], UNKNOWN)
    counted["predictions"] = len(rows)
    rows = first_of_repeats(rows)
    counted["repeats"] = counted["predictions"] - len(rows)
    kept = np.empty(len(rows), row_type(rows["probabilities"].shape[1]))
    for name in kept.dtype.names:
        kept[name] = rows[name]
    return kept, counted


def newest(directory, model, limit, progress=iter):
    """Read the newest answers of a model; older days than they need are not opened.

    Parameters
    ----------
    directory : path-like
        Of the log; without one there are no answers.
    model : dict
        ``classes`` and ``md5``, as of `project`.
    limit : int
    progress : callable, optional
        Wraps the list of days.

    Returns
    -------
    rows : ndarray of shape (at most `limit`,), `row_type`
    facts : dict
        ``days``, ``days_read`` and each of ``COUNTED``.
    """
    rows, labels, keys, counted = project((), **model)
    parts, others, read = [rows], [keys], 0
    paths = sorted(Path(directory).glob(days.NAMES), reverse=True)
    for path in progress(paths):
        if sum(map(len, parts)) >= limit:
            break
        read += 1
        try:
            if not path.is_file():  # a pipe, or a device, would have to be waited for
                raise OSError(f"{path} is no file")
            with path.open("rb") as lines:
                written = days.written(path)
                rows, told, keys, found = project(lines, **model, written=written)
        except OSError:  # a folder of that name, or no right to read
            counted["days_unreadable"] += 1
            continue
        counted.update(found)
        counted["labels_replaced"] += len(told.keys() & labels.keys())
        # A label comes after its prediction: in days that have been read already, or in this.
        labels = told | labels
        parts.append(rows)
        others.append(keys)
    rows, found = join(np.concatenate(parts), labels, np.concatenate(others), limit)
    if read < len(paths):  # the predictions may lie there
        found["labels_of_unread_days"] = found.pop("labels_without_prediction")
    facts = {"days": len(paths), "days_read": read}
    return rows, facts | {name: counted[name] + found[name] for name in COUNTED}
