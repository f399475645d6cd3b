"""Loaded before every test, to make the numerics deterministic before numpy is imported."""

from flowers.base.determinism import set_deterministic

set_deterministic()

import pytest  # noqa: E402

from scoring.server.settings import PROCESSORS  # noqa: E402


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than processors, since workers often wait for servers and processes."""
    return PROCESSORS + 1
