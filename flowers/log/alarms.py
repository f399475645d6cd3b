"""The alarms that rang and who cleared them: a file of the log that is always read whole."""

from pathlib import Path

import numpy as np

from flowers.log import days
from flowers.log.record import moment, now, parsed

NAME = "alarms.jsonl"
ALARM, ACKNOWLEDGEMENT = "alarm", "acknowledgement"


def append(directory, kind, model_md5, alarm=None):
    """Put an alarm or an acknowledgement on the disk.

    Parameters
    ----------
    directory : path-like
        Of the log.
    kind : {"alarm", "acknowledgement"}
    model_md5 : str
        Of the model that was watched.
    alarm : dict, optional
        What rang, as the drift report says it.

    Raises
    ------
    OSError
        If it is not on the disk.
    """
    record = {"time": now(), "kind": kind, "model_md5": model_md5}
    days.append(directory, [record | ({"alarm": alarm} if alarm else {})], NAME)


def standing(directory, model_md5):
    """Find what stands for a model.

    Parameters
    ----------
    directory : path-like
        Of the log.
    model_md5 : str

    Returns
    -------
    acknowledged : str or None
        When an alarm was cleared last, in UTC, without a time zone.
    alarm : dict or None
        The first that rang since then.
    """
    path, acknowledged, alarm = Path(directory, NAME), None, None
    if not path.is_file():
        return None, None
    latest = days.written(path) + days.DAY
    for line in path.read_bytes().splitlines():
        record = parsed(line)
        try:
            if record is None or record["model_md5"] != model_md5 or moment(record) > latest:
                continue
        except (KeyError, TypeError, ValueError, ArithmeticError):
            continue
        if record["kind"] == ACKNOWLEDGEMENT:
            acknowledged, alarm = str(np.datetime64(moment(record), "us")), None
        elif record["kind"] == ALARM and alarm is None:
            alarm = record["alarm"] if isinstance(record.get("alarm"), dict) else None
    return acknowledged, alarm
