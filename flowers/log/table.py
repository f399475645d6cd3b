"""From lines of the log to rows of numbers: the answers of one model, joined with true labels."""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from flowers.log import days, record
from flowers.log.record import UNKNOWN
from flowers.photos.statistics import NAMES

# Rows that wait as Python objects, ten times the size of the array they become.
BATCH = 10_000
COUNTED = (
    *("predictions", "canary", "other_model", "duplicates", "torn", "malformed"),
    *("labels", "labels_replaced", "labels_of_unknown_class", "labels_without_prediction"),
)


def row_type(n_classes):
    """Type of a row: ``time`` (UTC), ``truth`` (index of the class, or -1), numbers as float32."""
    return np.dtype(
        [
            *(("time", "M8[us]"), ("truth", "i2")),
            *(("probabilities", "f4", (n_classes,)), ("image", "f4", (len(NAMES),))),
        ]
    )


def project(lines, classes, md5):
    """Take the answers of a model, the true labels and all other keys from a part of the log.

    Nothing in a log is fatal: what is of no use is counted.

    Parameters
    ----------
    lines : iterable of bytes
    classes : sequence of str
        Of the model, in its order.
    md5 : str
        Of the model file.

    Returns
    -------
    rows : ndarray of shape (n,)
        `row_type` and the ``key`` of each, as written.
    labels : dict of key to int
        Index of the class; the last label of a key wins.
    others : ndarray of key
        Of answers by other models.
    counted : Counter
    """
    dtype = np.dtype([("key", "u8"), *row_type(len(classes)).descr])
    code = {name: i for i, name in enumerate(classes)}
    counted, labels, others, rows, batches = Counter(), {}, array("Q"), [], []
    for line in lines:
        if not line.strip():
            continue
        if (found := record.parsed(line)) is None:
            counted["torn"] += 1
            continue
        try:
            if found["kind"] == "feedback":
                key, truth = record.key(found), code.get(found["true_label"])
                counted["labels"] += 1
                if truth is None:
                    counted["labels_of_unknown_class"] += 1
                else:
                    counted["labels_replaced"] += key in labels
                    labels[key] = truth
            elif found["role"] != "production":
                counted["canary"] += 1
            elif found["model_md5"] != md5:
                counted["other_model"] += 1
                others.append(record.key(found))
            else:
                rows.append(record.row(found, classes))
        except (KeyError, TypeError, ValueError, ArithmeticError):
            counted["malformed"] += 1
        if len(rows) == BATCH:
            batches.append(np.array(rows, dtype))
            rows.clear()
    rows = np.concatenate([*batches, np.array(rows, dtype)])
    return rows, labels, np.array(others, np.uint64), counted


def join(rows, labels, others, limit):
    """Put rows in the order of time, each answer once and with its true label.

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
        Answers that repeat the key of an earlier one, and labels that no answer asked for.
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
    plain = row_type(rows["probabilities"].shape[1])
    kept = np.empty(len(rows), plain)
    for name in plain.names:
        kept[name] = rows[name]
    counted["predictions"] = len(kept)
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
        with path.open("rb") as lines:
            rows, told, keys, found = project(lines, **model)
        counted.update(found)
        counted["labels_replaced"] += len(told.keys() & labels.keys())
        # A label comes after its prediction: in days that have been read already, or in this.
        labels = told | labels
        parts.append(rows)
        others.append(keys)
        read += 1
    rows, found = join(np.concatenate(parts), labels, np.concatenate(others), limit)
    facts = {"days": len(paths), "days_read": read}
    return rows, facts | {name: counted[name] + found[name] for name in COUNTED}
