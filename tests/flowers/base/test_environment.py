"""Environment variables: defaults, values and refusals."""

from pathlib import Path

import pytest

from flowers.base import environment
from flowers.base.errors import BadInput


@pytest.mark.parametrize(
    ("jobs", "backend", "log", "model"), [("", "", "", ""), ("3", "loky", "a", "b")]
)
def test_values_are_read_and_an_empty_one_is_the_default(monkeypatch, jobs, backend, log, model):
    monkeypatch.setenv("JOBS", jobs)
    monkeypatch.setenv("BACKEND", backend)
    assert environment.read_jobs() == int(jobs or -1)
    assert environment.read_backend() == (backend or "threading")
    assert environment.read_log_dir({"LOG_DIR": log}) == Path(log or "logs")
    assert environment.read_model_dir({"MODEL_DIR": model}) == (Path(model) if model else None)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [("JOBS", value, environment.read_jobs) for value in ("0", "-2", "two", "1.5", "1000000")]
    + [("BACKEND", "abacus", environment.read_backend)],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput, match=f"{name}={value}"):
        read()
