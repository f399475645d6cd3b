"""The log of answers: JSON lines in one file per day (UTC), safe with many writers and crashes."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from flowers.log.record import parsed

# Absent on macOS.
_sync = getattr(os, "fdatasync", os.fsync)


def now():
    """The time in UTC, ISO 8601 with microseconds: as text it sorts as in time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append(directory, records):
    """Put records on the disk; when this returns they outlive the process and the machine.

    One write to a file opened for appending is not mixed with those of other processes. A line
    that a crash or a full disk cut short has no end, so each write begins with one.

    Parameters
    ----------
    directory : path-like
        Made if it is not there.
    records : list of dict
        Not empty; ``time`` as `now` gives it, the first one's day names the file.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError
        If not all of it is on the disk.
    """
    lines = [json.dumps(record, allow_nan=False) for record in records]
    return _write(directory, records[0]["time"][:10], "\n" + "\n".join(lines) + "\n")


def probe(directory, size=1):
    """See whether the log can be written, by empty lines at its end, which readers skip.

    Parameters
    ----------
    directory : path-like
    size : int
        Bytes; after a failure as many as a record takes, for on a full disk a single one may
        still fit.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError
        If it cannot.
    """
    return _write(directory, now()[:10], "\n" * size)


def _write(directory, day, text):
    directory, data = Path(directory), text.encode()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{day}.jsonl"
    is_new = not path.exists()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if (written := os.write(file, data)) != len(data):
            raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes written", str(path))
        _sync(file)
    finally:
        os.close(file)
    if is_new:  # a file that its directory does not name is lost with the machine
        _sync_directory(directory)
    return len(data)


def _sync_directory(directory):
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(directory, since=None, on_torn=None):
    """Records in the order of days and, within a day, as they were written.

    Parameters
    ----------
    directory : path-like
        May be missing: then there are no records.
    since : str, optional
        Leave out records of an earlier ``time``.
    on_torn : callable, optional
        Called with (path, line number) for each line that is no whole record.

    Yields
    ------
    dict
        ``kind`` is "prediction" or "feedback".
    """
    for path in sorted(Path(directory).glob("????-??-??.jsonl")):
        if since is not None and path.stem < since[:10]:
            continue
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                record = parsed(line)
                if record is None:
                    if on_torn is not None:
                        on_torn((path, number))
                elif since is None or record["time"] >= since:
                    yield record
