"""The scorer as a service: python -m scoring.server (settings are environment variables)."""

import os
import sys
import time

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from flowers.base.errors import BadInput
from scoring.server import connections
from scoring.server.app import create_app
from scoring.server.check import checked
from scoring.server.settings import from_environment

# Seconds that requests in flight have to finish when the server stops or reloads.
GRACEFUL_TIMEOUT = 30
# Between two tries to load a model that was sound when it was checked, and no longer is.
RETRY_SECONDS = 1


class _Worker(Worker):
    """waitress's connections in a process that gunicorn starts, reloads and restarts."""

    def load_wsgi(self):
        """Load the model; without one the arbiter starts another worker, a moment later."""
        try:
            super().load_wsgi()
        except BadInput as error:
            self.log.error("Not started: %s", error)
            time.sleep(RETRY_SECONDS)
            sys.exit(1)

    def run(self):
        (listener,) = self.sockets
        server = connections.Server(
            self.wsgi,
            listener.sock,
            self.cfg.threads,
            self.wsgi.config["MAX_CONTENT_LENGTH"],
            self.wsgi.extensions["scorer"].admits,
        )
        # A master that was killed leaves the port to the next one.
        while self.alive and os.getppid() == self.ppid:
            self.notify()
            server.step(1)
        server.stop()
        end = time.monotonic() + GRACEFUL_TIMEOUT
        while server.busy and time.monotonic() < end:
            self.notify()
            server.step(1)


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
    """gunicorn's master and one worker; the model is loaded in the worker, so HUP reloads it.

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
        host = self._settings.host
        options = {
            "bind": f"{f'[{host}]' if ':' in host else host}:{self._settings.port}",
            "workers": 1,
            "worker_class": _Worker,
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
