"""The settings of the scorer, environment variables; docs/serving.md describes each."""

import os
from dataclasses import dataclass
from pathlib import Path

from flowers.base.environment import read_log_dir, read_model_dir, read_model_sha256
from flowers.base.errors import BadInput

MODELS = Path("models")
DRIFT_REPORT = Path("monitoring/drift/drift.json")
# Default of HOSTS where only this machine can connect: a name that is made to point here (DNS
# rebinding) is refused.
LOOPBACK = ("localhost", "127.0.0.1")
# Requests with expensive images, decoded or waiting; the next one gets status 429.
EXPENSIVE_PLACES = 8
# Threads beyond those of requests with images: they refuse, and serve /health under any load.
SPARE_THREADS = 8
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True)
class Settings:
    """The settings; each one is read from the environment variable of its name in capitals."""

    model_dir: Path | None = None
    model_sha256: str | None = None
    canary_dir: Path = Path("models/canary")
    canary_ratio: float = 0.1
    log_dir: Path = Path("logs")
    max_upload_mb: float = 20.0
    max_files: int = 32
    queue: int = 16
    host: str = "127.0.0.1"
    port: int = 5000
    hosts: tuple | None = LOOPBACK

    @property
    def places(self):
        """Requests with cheap images, processed or waiting."""
        return PROCESSORS + self.queue

    @property
    def threads(self):
        """Threads of waitress: one for each request with a place, and the spare ones."""
        return self.places + EXPENSIVE_PLACES + SPARE_THREADS


def read_number(environ, name, default, low, high):
    """Read a number of the type of `default` from a variable, or raise BadInput."""
    text = environ.get(name) or default
    kind = type(default)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:  # NaN is not between them either
        raise BadInput(f"{name}={text} must be a number of type {kind.__name__}, {low} to {high}")
    return value


def read_settings(environ=os.environ):
    """Read the settings; a variable that is unset or empty keeps its default."""
    host = (environ.get("HOST") or Settings.host).strip("[]")
    names = (environ.get("HOSTS") or "").lower().split(",")
    hosts = tuple(name.strip() for name in names if name.strip())
    return Settings(
        model_dir=read_model_dir(environ),
        model_sha256=read_model_sha256(environ),
        canary_dir=Path(environ.get("CANARY_DIR") or Settings.canary_dir),
        canary_ratio=read_number(environ, "CANARY_RATIO", Settings.canary_ratio, 0, 1),
        log_dir=read_log_dir(environ),
        max_upload_mb=read_number(environ, "MAX_UPLOAD_MB", Settings.max_upload_mb, 0.001, 1000),
        max_files=read_number(environ, "MAX_FILES", Settings.max_files, 1, 1000),
        queue=read_number(environ, "QUEUE", Settings.queue, 0, 10_000),
        host=host,
        port=read_number(environ, "PORT", Settings.port, 0, 65535),
        hosts=hosts or (LOOPBACK if host.lower() in LOOPBACK else None),
    )
