"""Demands on the settings that change no result."""

from pathlib import Path

import pytest

from flowers.base import environment
from flowers.base.errors import BadInput


def test_unset_or_empty_is_the_default(monkeypatch):
    for name in ("JOBS", "BACKEND", "LOG_DIR", "MODEL_DIR"):
        monkeypatch.setenv(name, "")
    assert (environment.read_jobs(), environment.read_backend()) == (-1, "threading")
    assert (environment.read_log_dir(), environment.read_model_dir()) == (Path("logs"), None)


def test_what_is_set_counts(monkeypatch):
    for name, value in {"JOBS": "3", "BACKEND": "loky"}.items():
        monkeypatch.setenv(name, value)
    assert (environment.read_jobs(), environment.read_backend()) == (3, "loky")
    assert environment.read_log_dir({"LOG_DIR": "a"}) == Path("a")
    assert environment.read_model_dir({"MODEL_DIR": "b"}) == Path("b")


@pytest.mark.parametrize("value", ["0", "-2", "two", "1.5", "1000000"])
def test_workers_that_are_no_number_are_refused_by_value(monkeypatch, value):
    monkeypatch.setenv("JOBS", value)
    with pytest.raises(BadInput, match=value):
        environment.read_jobs()


def test_a_backend_that_is_none_is_refused_by_value(monkeypatch):
    monkeypatch.setenv("BACKEND", "abacus")
    with pytest.raises(BadInput, match="abacus"):
        environment.read_backend()
