"""Records of the log: built and parsed in one place, so that both sides know the same members."""

import json
import math
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256

from flowers.images.statistics import flatten_statistics

# Decimals of logged probabilities and typicalities, which are compared as logged.
DECIMALS = 6
UNKNOWN = -1  # class index of a prediction without a true label
KINDS = ("prediction", "feedback")
FLOAT32_LIMIT = 3e38  # rows are float32
INT32_LIMIT = 2**31  # and their index int32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def format_now():
    """Format the current UTC time as ISO 8601 with microseconds; text order is time order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class NotFinite(ValueError):
    """A number of a record is NaN or infinite, or too large for float32."""


def build_prediction_record(predictor, prediction, request_id, index, role, photo):
    """Build the record of a prediction; of the image only the digest and statistics are kept.

    Parameters
    ----------
    predictor, prediction : flowers.model.predictor.Predictor, Prediction
    request_id, index : str, int
        Id of the request, and position of the image in it.
    role : {"production", "canary"}
        Production predictions are sent to the client.
    photo : bytes
        Content of the file.
    """
    probabilities = prediction.probabilities.tolist()
    typicality = prediction.typicality
    entry = {
        "time": format_now(),
        "kind": "prediction",
        "request_id": request_id,
        "index": index,
        "role": role,
        "model_version": predictor.version,
        "model_md5": predictor.md5,
        "label": prediction.label,
        "probabilities": dict(zip(predictor.classes, probabilities, strict=True)),
        "image": prediction.image,
        "photo_sha256": sha256(photo).hexdigest(),
        "latency_ms": prediction.latency_ms,
    }
    return entry if typicality is None else entry | {"typicality": round(typicality, DECIMALS)}


def build_feedback_record(request_id, index, true_label):
    """Build the record of a true label; parameters as in `build_prediction_record`."""
    image = {"request_id": request_id, "index": index}
    return {"time": format_now(), "kind": "feedback"} | image | {"true_label": true_label}


def parse_line(line):
    """Parse one line, bytes, of the log to a dict with ``kind`` and ``time`` at least.

    None if the line is no complete record, for example after a crash in the middle of a write.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):  # invalid UTF-8 included
        return None
    return record if isinstance(record, dict) and {"kind", "time"} <= record.keys() else None


def hash_key(record):
    """Hash the request id and index, which a prediction shares with its feedback."""
    name = f"{record['request_id']} {record['index']}"
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


def parse_time(record):
    """Parse the time, microseconds since 1970; fails without one, or without a time zone."""
    return (datetime.fromisoformat(record["time"]) - _EPOCH) // _MICROSECOND


def build_row(record, classes):
    """Build the table row of a prediction record.

    Parameters
    ----------
    record : dict
    classes : sequence of str
        Of the model, in its order.

    Returns
    -------
    tuple
        Key, photo, hash of the image, microseconds since 1970, request id, index, ``UNKNOWN``,
        probabilities, image statistics, typicality; as in ``flowers.log.table.build_row_dtype``.
        The photo is the first 64 bits of its digest. What the record lacks is 0 (photo, hash) or
        NaN (typicality).

    Raises
    ------
    NotFinite
        If a number is NaN, infinite, or too large for float32.
    KeyError, TypeError, ValueError, ArithmeticError
        If the record is malformed.
    """
    by_class = record["probabilities"]
    probabilities = [round(float(by_class[name]), DECIMALS) for name in classes]
    image = flatten_statistics(record["image"])
    # Only the last statistic may be missing, in records of earlier versions.
    no_sharpness = math.isnan(image[-1]) and "sharpness" not in record["image"]
    numbers = probabilities + list(image[:-1] if no_sharpness else image)
    typicality = math.nan
    if "typicality" in record:
        typicality = float(record["typicality"])
        numbers.append(typicality)
    if not all(abs(number) < FLOAT32_LIMIT for number in numbers):  # NaN is not below either
        raise NotFinite("a number that is not finite")
    in_range = min(probabilities) >= 0 and abs(sum(probabilities) - 1) < 1e-3
    if not in_range or len(by_class) != len(classes):
        raise ValueError(f"not the probabilities of {len(classes)} classes")
    photo = int(record.get("photo_sha256", "0")[:16], 16)
    fingerprint = int(str(record["image"].get("hash", "0"))[:16], 16)
    index = int(record["index"])
    if not 0 <= index < INT32_LIMIT:
        raise ValueError("an index out of range")
    request = str(record["request_id"]).encode("ascii", "replace"), index
    identity = hash_key(record), photo, fingerprint
    return *identity, parse_time(record), *request, UNKNOWN, probabilities, image, typicality
