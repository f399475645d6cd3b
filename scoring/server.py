"""The scorer as a service: python -m scoring.server (settings are environment variables)."""

import sys

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from flowers.errors import BadInput
from scoring.app import create_app
from scoring.scorer import checked
from scoring.settings import from_environment

# Seconds that requests in flight have to finish when the server stops or reloads.
GRACEFUL_TIMEOUT = 30


class _Arbiter(Arbiter):
    def handle_hup(self):
        """Reload, but never let go of a working model for one that cannot be served."""
        try:
            self.log.info("The model in %s is sound", checked(from_environment()))
        except BadInput as error:
            self.log.error("Not reloaded: %s", error)
        else:
            super().handle_hup()


class Server(BaseApplication):
    """gunicorn with one process and threads; the model is loaded in the worker, so HUP reloads it.

    One process: the model is in memory once, and numpy leaves the interpreter to other threads
    while it works.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings):
        self._settings = settings
        super().__init__()

    def load_config(self):
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._settings.threads,
            "graceful_timeout": GRACEFUL_TIMEOUT,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        return create_app(self._settings)

    def run(self):
        _Arbiter(self).run()


def main():
    try:
        settings = from_environment()
        checked(settings)
    except BadInput as error:
        sys.exit(f"scoring.server: {error}")
    Server(settings).run()


if __name__ == "__main__":
    main()
