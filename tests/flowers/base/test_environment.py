"""Environment variables: defaults, values and refusals."""

from pathlib import Path

import pytest

from flowers.base import environment
from flowers.base.errors import BadInput


def test_unset_or_empty_is_the_default(monkeypatch):
    for name in ("JOBS", "BACKEND", "LOG_DIR", "MODEL_DIR"):
        monkeypatch.setenv(name, "")
    assert (environment.read_jobs(), environment.read_backend()) == (-1, "threading")
    assert (environment.read_log_dir(), environment.read_model_dir()) == (Path("logs"), None)


def test_values_are_read(monkeypatch):
    monkeypatch.setenv("JOBS", "3")
    monkeypatch.setenv("BACKEND", "loky")
    assert (environment.read_jobs(), environment.read_backend()) == (3, "loky")
    assert environment.read_log_dir({"LOG_DIR": "a"}) == Path("a")
    assert environment.read_model_dir({"MODEL_DIR": "b"}) == Path("b")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [("JOBS", value, environment.read_jobs) for value in ("0", "-2", "two", "1.5", "1000000")]
    + [("BACKEND", "abacus", environment.read_backend)],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=f"{name}={value}"):
        read()
