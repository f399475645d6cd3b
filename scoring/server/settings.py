"""The settings of the scorer: environment variables, checked before anything starts."""

import os
import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from pathlib import Path

from flowers.base.environment import read_log_dir, read_model_dir, read_model_sha256
from flowers.base.errors import BadInput

MODELS = Path("models")
# The default of HOSTS where nobody else can connect: a name that somebody made point here is none.
LOOPBACK = ("localhost", "127.0.0.1")
DRIFT_REPORT = Path("metrics/drift.json")


def processors():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True)
class Settings:
    """What the scorer is told from outside; each field is the variable of its name in capitals.

    Attributes
    ----------
    model_dir : Path or None
        None looks for a production model first and for the candidate then.
    canary_dir : Path
    canary_ratio : float in [0, 1]
        Share of the requests that the canary answers too.
    log_dir : Path
    max_upload_mb : float, > 0
        Of a whole request, in units of 1,000,000 bytes.
    max_files : int, > 0
        Photos in one request.
    queue : int, >= 0
        Requests that may wait while others are being answered; the next one gets status 429.
    host : str
    port : int
        0 takes a free one.
    threads : int
        Requests answered at the same time, those that only ask for its state included.
    model_sha256 : str or None
        The model file must have it.
    hosts : list of str or None
        Names by which clients may call this server, a name that begins with a dot with all below
        it; None allows any.
    """

    model_dir: Path | None = None
    canary_dir: Path = Path("models/canary")
    canary_ratio: float = 0.1
    log_dir: Path = Path("logs")
    max_upload_mb: float = 20.0
    max_files: int = 32
    queue: int = 16
    host: str = "127.0.0.1"
    port: int = 5000
    threads: int = 16 + 8 + processors()
    model_sha256: str | None = None
    hosts: list | None = field(default_factory=lambda: list(LOOPBACK))


def from_environment(environ=os.environ):
    """Settings from environment variables; one that is unset or empty keeps its default.

    Raises
    ------
    BadInput
        If a value is no number or out of its range.
    """
    queue = _number(environ, "QUEUE", int, Settings.queue, 0, 10_000)
    busy = processors() + queue
    # Threads beyond those that score or wait: /health and /ready are answered under any load.
    threads = _number(environ, "THREADS", int, busy + 8, 1, 10_000)
    if threads <= busy:
        raise BadInput(
            f"THREADS={threads} leaves no thread to refuse or to report: use more than "
            f"{busy}, which is QUEUE={queue} + {processors()} processors, or a lower QUEUE"
        )
    host = _host(environ.get("HOST") or Settings.host)
    hosts = [name.strip() for name in (environ.get("HOSTS") or "").split(",") if name.strip()]
    return Settings(
        model_dir=read_model_dir(environ),
        canary_dir=Path(environ.get("CANARY_DIR") or Settings.canary_dir),
        canary_ratio=_number(environ, "CANARY_RATIO", float, Settings.canary_ratio, 0, 1),
        log_dir=read_log_dir(environ),
        max_upload_mb=_number(environ, "MAX_UPLOAD_MB", float, Settings.max_upload_mb, 0.001, 1000),
        max_files=_number(environ, "MAX_FILES", int, Settings.max_files, 1, 1000),
        queue=queue,
        host=host,
        port=_number(environ, "PORT", int, Settings.port, 0, 65535),
        threads=threads,
        model_sha256=read_model_sha256(environ),
        hosts=hosts or (list(LOOPBACK) if host in LOOPBACK else None),
    )


def _host(text):
    host = text.strip("[]")
    try:
        if ":" in host:
            IPv6Address(host)
        elif not re.fullmatch(r"[\w.-]+", host):
            raise ValueError(host)
    except ValueError as error:  # gunicorn would take it for a socket of another kind
        raise BadInput(
            f"HOST={text}: set it to a name or an address, such as 0.0.0.0 or ::"
        ) from error
    return host


def _number(environ, name, of_type, default, low, high):
    text = environ.get(name) or default
    try:
        value = of_type(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:  # NaN is not between them either
        raise BadInput(
            f"{name}={text} must be a number of type {of_type.__name__}, {low} to {high}"
        )
    return value
