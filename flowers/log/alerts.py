"""Stored drift alerts and their acknowledgements, one file of the log that is read whole."""

from pathlib import Path

import numpy as np

from flowers.base.errors import BadInput
from flowers.log import day_files
from flowers.log.record import format_now, parse_line, parse_time

FILE_NAME = "alerts.jsonl"
OLD_FILE_NAME = "alarms.jsonl"  # until version 3
ALERT = "alert"
ACKNOWLEDGEMENT = "acknowledgement"


def append_alert_record(directory, kind, model_md5, alert=None):
    """Append an alert or an acknowledgement and sync it to disk.

    Parameters
    ----------
    directory, model_md5 : path-like, str
        Of the log, and of the model file.
    kind : {"alert", "acknowledgement"}
    alert : dict, optional
        The member ``alert`` of the drift report.
    """
    record = {"time": format_now(), "kind": kind, "model_md5": model_md5}
    day_files.append_records(directory, [record | ({"alert": alert} if alert else {})], FILE_NAME)


def read_alert_state(directory, model_md5):
    """Read the alert state of a model: the last acknowledgement and the first alert after it.

    Damaged lines, and records more than a day after the last write to the file, are skipped.

    Returns
    -------
    acknowledged : str or None
        Time of the last acknowledgement, ISO 8601 in UTC without an offset.
    alert : dict or None

    Raises
    ------
    BadInput
        If the directory holds an ``alarms.jsonl`` of version 3.
    """
    path = Path(directory, FILE_NAME)
    acknowledged = alert = None
    if (old := Path(directory, OLD_FILE_NAME)).is_file():
        raise BadInput(
            f"{old} was written by version 3 and is not read: delete it; a difference that "
            "still exists raises a new alert"
        )
    if not path.is_file():
        return acknowledged, alert
    latest = day_files.read_write_time(path) + day_files.CLOCK_TOLERANCE
    for line in path.read_bytes().splitlines():
        record = parse_line(line)
        try:
            if record is None or record["model_md5"] != model_md5 or parse_time(record) > latest:
                continue
        except (KeyError, TypeError, ValueError, ArithmeticError):
            continue
        if record["kind"] == ACKNOWLEDGEMENT:
            acknowledged = str(np.datetime64(parse_time(record), "us"))
            alert = None
        elif record["kind"] == ALERT and alert is None:
            alert = record["alert"] if isinstance(record.get("alert"), dict) else None
    return acknowledged, alert
