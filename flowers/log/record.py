"""One line of the log of answers: read the same way by whoever looks into it."""

import json


def parsed(line):
    """The record of one line.

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
