"""The files of the log: JSON lines, one file per day (UTC), safe with many writers and crashes."""

import errno
import json
import os
import time
from pathlib import Path

from flowers.log.record import now

NAMES = "????-??-??.jsonl"
# An entry that is so much later than the last write to its file has a wrong clock.
DAY = 24 * 3600 * 10**6  # microseconds
# O_NONBLOCK: a pipe without a reader would have to be waited for, for ever.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
# Files that this process has seen named on the disk: another may just have made one.
_NAMED = set()
# Absent on macOS.
_sync = getattr(os, "fdatasync", os.fsync)


def append(directory, records, name=None):
    """Put records on the disk; when this returns they outlive the process and the machine.

    One write to a file opened for appending is not mixed with those of other processes. A line
    that a crash or a full disk cut short has no end, so each write begins with one.

    Parameters
    ----------
    directory : path-like
        Made if it is not there.
    records : list of dict
        Not empty; ``time`` as ``flowers.log.record.now`` gives it.
    name : str, optional
        Of the file; if not given, the day of the first record names it.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError
        If not all of it is on the disk.
    """
    return append_all(directory, [entry(records, name)])


def entry(records, name=None):
    """Make records what `append_all` writes.

    Parameters
    ----------
    records, name
        As of `append`.

    Returns
    -------
    name : str
        Of a file.
    lines : str

    Raises
    ------
    ValueError
        If a record has a number that JSON does not know.
    """
    lines = "\n".join(json.dumps(record, allow_nan=False) for record in records)
    return f"{records[0]['time'][:10]}.jsonl" if name is None else name, lines


def append_all(directory, entries):
    """Do for many what `append` does: they share a write, and the wait for the disk.

    Parameters
    ----------
    directory
        As of `append`, and so is what is returned and raised.
    entries : list of (str, str)
        From `entry`. Those of one file are written together, in their order.
    """
    files = {}
    for name, lines in entries:
        files.setdefault(name, []).append(lines)
    return sum(
        _write(directory, name, "\n" + "\n".join(some) + "\n") for name, some in files.items()
    )


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
    return _write(directory, f"{now()[:10]}.jsonl", "\n" * size)


def written(path):
    """When a file was written last, in microseconds since 1970.

    By now at the latest: the clock may have been ahead then, and set back since.
    """
    return int(min(path.stat().st_mtime, time.time()) * 1e6)


def _write(directory, name, text):
    directory, data = Path(directory), text.encode()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    named = path.exists() and path in _NAMED
    file = os.open(path, _FLAGS, 0o644)
    try:
        if (written := os.write(file, data)) != len(data):
            raise OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes written", str(path))
        _sync(file)
    finally:
        os.close(file)
    if not named:  # a file that its directory does not name on the disk is lost with the machine
        _sync_directory(directory)
        _NAMED.add(path)
    return len(data)


def _sync_directory(directory):
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
