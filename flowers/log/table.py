"""From lines of the log to rows of numbers: the answers of one model, joined with true labels."""

import math
from array import array
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import numpy as np

from flowers.drift.alarm import DECIMALS
from flowers.drift.report import UNKNOWN
from flowers.log.record import parsed
from flowers.photos.statistics import NAMES, flat

# Rows that wait as Python objects, ten times the size of the array they become.
BATCH = 10_000
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
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
    """The answers of a model, the true labels and all other keys in one part of the log.

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
        if (record := parsed(line)) is None:
            counted["torn"] += 1
            continue
        try:
            if record["kind"] == "feedback":
                key, truth = _key(record), code.get(record["true_label"])
                counted["labels"] += 1
                if truth is None:
                    counted["labels_of_unknown_class"] += 1
                else:
                    counted["labels_replaced"] += key in labels
                    labels[key] = truth
            elif record["role"] != "production":
                counted["canary"] += 1
            elif record["model_md5"] != md5:
                counted["other_model"] += 1
                others.append(_key(record))
            else:
                rows.append(_row(record, classes))
        except (KeyError, TypeError, ValueError, ArithmeticError):
            counted["malformed"] += 1
        if len(rows) == BATCH:
            batches.append(np.array(rows, dtype))
            rows.clear()
    rows = np.concatenate([*batches, np.array(rows, dtype)])
    return rows, labels, np.array(others, np.uint64), counted


def _key(record):
    name = f"{record['request_id']} {record['index']}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def _row(record, classes):
    answer = record["probabilities"]
    shares = [round(float(answer[name]), DECIMALS) for name in classes]
    image = flat(record["image"])
    # NaN is not below either.
    if not (len(answer) == len(classes) and abs(sum(shares) - 1) < 1e-3 and min(shares) >= 0):
        raise ValueError(f"not the probabilities of {len(classes)} classes")
    if not math.isfinite(sum(image)):
        raise ValueError("image statistics that are no numbers")
    time = (datetime.fromisoformat(record["time"]) - _EPOCH) // _TICK
    return _key(record), time, UNKNOWN, shares, image


def join(rows, labels, others, limit):
    """Rows in the order of time, each answer once and with its true label.

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
