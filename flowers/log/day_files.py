"""Day files of the log: JSON lines, one file a UTC day, safe with several writers and crashes."""

import errno
import json
import os
import time
from pathlib import Path

from flowers.log.record import format_now

FILE_PATTERN = "????-??-??.jsonl"
# Microseconds. A record whose time is further after the last write to its file has a wrong clock.
CLOCK_TOLERANCE = 24 * 3600 * 10**6
# O_NONBLOCK: opening a pipe without a reader would block for ever.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
# Files whose directory entry this process has synced. One that merely exists may have been created
# a moment ago by another process that has not synced the directory yet.
_SYNCED_ENTRIES = set()
# Absent on macOS.
_sync = getattr(os, "fdatasync", os.fsync)


def append_records(directory, records, name=None):
    """Append records to a day file; on return they survive a crash of the process or machine.

    One write to a file opened with O_APPEND does not mix with writes of other processes. A crash
    or a full disk can leave a line without its end, so each write starts with a line end.

    Parameters
    ----------
    directory : path-like
        Created if missing.
    records : list of dict
        Not empty; ``time`` as from ``flowers.log.record.format_now``.
    name : str, optional
        File name; by default the day of the first record.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError, ValueError
        If not all of it is on disk; if a record has a number that JSON does not know.
    """
    lines = "\n".join(json.dumps(record, allow_nan=False) for record in records)
    return _write(directory, name or f"{records[0]['time'][:10]}.jsonl", f"\n{lines}\n")


def check_writable(directory):
    """Check that the log can be written, by appending an empty line, which readers skip.

    Returns and raises as `append_records`.
    """
    return _write(directory, f"{format_now()[:10]}.jsonl", "\n")


def read_write_time(path):
    """Return the time of the last write to a file, in microseconds since 1970.

    It is capped at the current time: the clock may have been ahead then and set back since.
    """
    return int(min(path.stat().st_mtime, time.time()) * 1e6)


def _write(directory, name, text):
    directory = Path(directory)
    data = text.encode()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    synced = path.exists() and path in _SYNCED_ENTRIES
    file = os.open(path, _FLAGS, 0o644)
    try:
        if (size := os.write(file, data)) != len(data):
            raise OSError(errno.ENOSPC, f"only {size} of {len(data)} bytes written", str(path))
        _sync(file)
    finally:
        os.close(file)
    if not synced:  # without its directory entry the file is lost in a crash of the machine
        _sync_directory(directory)
        _SYNCED_ENTRIES.add(path)
    return len(data)


def _sync_directory(directory):
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
