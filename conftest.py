"""Loaded before every test: numpy must not be imported before the pins are set."""

from flowers.base.determinism import set_deterministic

set_deterministic()

import pytest  # noqa: E402

from scoring.server.settings import count_processors  # noqa: E402


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than processors: a worker often waits for a server or a run."""
    return count_processors() + 1
