"""One record of the log: written and read here, so both know the same members."""

import json
import math
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256

from flowers.images.statistics import flatten_statistics

# Probabilities are compared as they are written: equal answers must be equal numbers.
DECIMALS = 6
UNKNOWN = -1  # no true label came
KINDS = ("prediction", "feedback")
LARGEST = 3e38  # the rows are float32
_EPOCH, _TICK = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def now():
    """Tell the time in UTC, ISO 8601 with microseconds: as text it sorts as in time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class NotFinite(ValueError):
    """A number of a record is infinite, or none at all."""


def prediction(model, answer, request_id, index, role, photo):
    """Make the record of an answer; the photo and its name are not kept, only its digest.

    Parameters
    ----------
    model : Model
    answer : Answer
        Of this model.
    request_id : str
    index : int
        Of the photo in its request.
    role : {"production", "canary"}
        Whether the user got this answer.
    photo : bytes
        The content of the file.

    Returns
    -------
    dict
    """
    return {
        "time": now(),
        "kind": "prediction",
        "request_id": request_id,
        "index": index,
        "role": role,
        "model_version": model.version,
        "model_md5": model.md5,
        "label": answer.label,
        "probabilities": dict(zip(model.classes, answer.probabilities.tolist(), strict=True)),
        "image": answer.image,
        "photo_sha256": sha256(photo).hexdigest(),
        "latency_ms": answer.latency_ms,
    }


def feedback(request_id, index, true_label):
    """Make the record of a true label that somebody told.

    Parameters
    ----------
    request_id, true_label : str
    index : int
        Of the photo in its request.

    Returns
    -------
    dict
    """
    return {
        "time": now(),
        "kind": "feedback",
        "request_id": request_id,
        "index": index,
        "true_label": true_label,
    }


def parsed(line):
    """Read one line of the log.

    Parameters
    ----------
    line : bytes

    Returns
    -------
    dict or None
        With ``kind`` and ``time`` at least; None for a line that is no whole record, such as one
        that a crash has torn.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # bytes that are no UTF-8 included
        return None
    return record if isinstance(record, dict) and {"kind", "time"} <= record.keys() else None


def key(record):
    """Hash what a prediction and the feedback on it have in common.

    Raises
    ------
    KeyError
        If it names no photo.
    """
    name = f"{record['request_id']} {record['index']}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def moment(record):
    """Give the time of a record in microseconds since 1970.

    Raises
    ------
    KeyError, TypeError, ValueError, ArithmeticError
        If it has none, or one without a time zone.
    """
    return (datetime.fromisoformat(record["time"]) - _EPOCH) // _TICK


def row(record, classes):
    """Take from a prediction what is compared, in the order of ``flowers.log.table.row_type``.

    Parameters
    ----------
    record : dict
    classes : sequence of str
        Of the model, in its order.

    Returns
    -------
    tuple
        Key, photo, microseconds since 1970, ``UNKNOWN``, probabilities, image statistics. The
        photo is the beginning of its digest as a number, 0 for a record that has none.

    Raises
    ------
    NotFinite
        If a number is infinite, none, or too large for float32.
    KeyError, TypeError, ValueError, ArithmeticError
        If it is not such a record.
    """
    answer = record["probabilities"]
    probabilities = [round(float(answer[name]), DECIMALS) for name in classes]
    image = flatten_statistics(record["image"])
    # NaN is not below either. Only the last statistic may be missing, in records of old.
    known = image[:-1] if math.isnan(image[-1]) and "sharpness" not in record["image"] else image
    if not all(abs(number) < LARGEST for number in (*probabilities, *known)):
        raise NotFinite("a number that is not finite")
    if not (
        len(answer) == len(classes)
        and abs(sum(probabilities) - 1) < 1e-3
        and min(probabilities) >= 0
    ):
        raise ValueError(f"not the probabilities of {len(classes)} classes")
    photo = int(record.get("photo_sha256", "0")[:16], 16)
    return key(record), photo, moment(record), UNKNOWN, probabilities, image
