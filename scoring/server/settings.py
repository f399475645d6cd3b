"""The settings of the scorer: environment variables, checked before anything starts."""

import os
from dataclasses import dataclass
from pathlib import Path

from flowers.base.environment import read_log_dir, read_model_dir, read_model_sha256
from flowers.base.errors import BadInput

MODELS, DRIFT_REPORT = Path("models"), Path("metrics/drift.json")
# Default of HOSTS where only this machine can connect: a name that is made to point here (DNS
# rebinding) is refused.
LOOPBACK = ("localhost", "127.0.0.1")
# Requests with expensive images, decoded or waiting; the next one gets status 429.
EXPENSIVE_PLACES = 8
# Threads beyond those of requests with images: they refuse, and serve /health under any load.
SPARE_THREADS = 8


def count_processors():
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True)
class Settings:
    """The settings; each field is the environment variable of its name in capitals."""

    # None takes the production model or, without one, the candidate.
    model_dir: Path | None = None
    # The model file must have it.
    model_sha256: str | None = None
    canary_dir: Path = Path("models/canary")
    # Share of the requests that the canary gets too, 0 to 1.
    canary_ratio: float = 0.1
    log_dir: Path = Path("logs")
    # Of a whole request, in units of 1,000,000 bytes.
    max_upload_mb: float = 20.0
    # Images in one request.
    max_files: int = 32
    # Requests that may wait while others are processed; the next one gets status 429.
    queue: int = 16
    host: str = "127.0.0.1"
    # 0 takes a free one.
    port: int = 5000
    # Names by which clients may call this server, separated by commas; one that begins with a dot
    # includes all names below it. None allows any.
    hosts: tuple | None = LOOPBACK

    @property
    def places(self):
        """Requests with cheap images, processed or waiting."""
        return count_processors() + self.queue

    @property
    def threads(self):
        """Threads of waitress: one for each request with a place, and the spare ones."""
        return self.places + EXPENSIVE_PLACES + SPARE_THREADS


def read_settings(environ=os.environ):
    """Read the settings; a variable that is unset or empty keeps its default."""
    host = (environ.get("HOST") or Settings.host).strip("[]")
    names = (environ.get("HOSTS") or "").lower().split(",")
    hosts = tuple(name.strip() for name in names if name.strip())
    return Settings(
        model_dir=read_model_dir(environ),
        model_sha256=read_model_sha256(environ),
        canary_dir=Path(environ.get("CANARY_DIR") or Settings.canary_dir),
        canary_ratio=_read_number(environ, "CANARY_RATIO", float, 0, 1),
        log_dir=read_log_dir(environ),
        max_upload_mb=_read_number(environ, "MAX_UPLOAD_MB", float, 0.001, 1000),
        max_files=_read_number(environ, "MAX_FILES", int, 1, 1000),
        queue=_read_number(environ, "QUEUE", int, 0, 10_000),
        host=host,
        port=_read_number(environ, "PORT", int, 0, 65535),
        hosts=hosts or (LOOPBACK if host.lower() in LOOPBACK else None),
    )


def _read_number(environ, name, kind, low, high):
    text = environ.get(name) or getattr(Settings, name.lower())
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:  # NaN is not between them either
        raise BadInput(f"{name}={text} must be a number of type {kind.__name__}, {low} to {high}")
    return value
