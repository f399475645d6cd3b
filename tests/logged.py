"""Read a log record by record."""

from pathlib import Path

from flowers.log import day_files
from flowers.log.record import parse_line


def read_records(directory, on_torn=None):
    """Yield records by day; `on_torn` is called with path and line number of a malformed line."""
    for path in sorted(Path(directory).glob(day_files.FILE_PATTERN)):
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if line.strip() and (record := parse_line(line)) is not None:
                yield record
            elif line.strip() and on_torn is not None:
                on_torn((path, number))
