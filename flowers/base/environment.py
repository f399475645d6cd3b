"""Environment variables: settings of the stages and commands; none changes a result."""

import os
import re
from pathlib import Path

from flowers.base.errors import BadInput

BACKENDS = ("threading", "loky", "dask")
# More threads or processes than a machine can start.
_MAX_JOBS = 1024


def read_jobs():
    """Read the number of parallel workers from ``JOBS``; the default -1 is one per core."""
    text = os.environ.get("JOBS") or "-1"
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count == 0 or not -1 <= count <= _MAX_JOBS:
        raise BadInput(f"JOBS={text}: set it to 1 to {_MAX_JOBS} workers, or to -1: one per core")
    return count


def read_choice(variable, choices):
    """Read one of `choices` from an environment variable; the default is the first."""
    name = os.environ.get(variable) or choices[0]
    if name not in choices:
        raise BadInput(f"{variable}={name}: set it to one of {', '.join(choices)}")
    return name


def read_backend():
    """Read the name of the backend of parallel work from ``BACKEND``, one of `BACKENDS`."""
    return read_choice("BACKEND", BACKENDS)


def read_log_dir(environ=os.environ):
    """Read the folder of the prediction log from ``LOG_DIR``; the default is "logs"."""
    return Path(environ.get("LOG_DIR") or "logs")


def read_model_dir(environ=os.environ):
    """Read the folder of the served model from ``MODEL_DIR``; None if it is unset."""
    return Path(environ["MODEL_DIR"]) if environ.get("MODEL_DIR") else None


def read_scorer_url():
    """Read the address of the scorer from ``SCORER_URL``; the default is the local port 5000."""
    return os.environ.get("SCORER_URL") or "http://127.0.0.1:5000"


def read_model_sha256(environ=os.environ):
    """Read the SHA-256 that the model file must have from ``MODEL_SHA256``; None if it is unset."""
    text = (environ.get("MODEL_SHA256") or "").lower()
    if text and not re.fullmatch("[0-9a-f]{64}", text):
        raise BadInput(f"MODEL_SHA256={text}: set it to the 64 digits that sha256sum prints")
    return text or None
