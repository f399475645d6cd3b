"""The scorer as a service: python -m scoring.server (settings are environment variables)."""

import json
import sys
import time
import uuid
from http import HTTPStatus

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.http import errors
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from flowers.errors import BadInput
from scoring.server.app import create_app
from scoring.server.check import checked
from scoring.server.problems import Problem
from scoring.server.settings import from_environment

# Seconds that requests in flight have to finish when the server stops or reloads.
GRACEFUL_TIMEOUT = 30
# Between two tries to load a model that was sound when it was checked, and no longer is.
RETRY_SECONDS = 1
# What is no request never reaches the application: 400, but for these.
REFUSALS = {
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
}


class _Worker(ThreadWorker):
    def load_wsgi(self):
        """Load the model; without one the arbiter starts another worker, a moment later."""
        try:
            super().load_wsgi()
        except BadInput as error:
            self.log.error("Not started: %s", error)
            time.sleep(RETRY_SECONDS)
            sys.exit(1)

    def handle_error(self, req, client, addr, exc):
        """Answer what is no request as a problem, like every other error."""
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        request_id = str(uuid.uuid4())
        self.log.warning("request %s refused: %s", request_id, exc)
        problem = Problem(REFUSALS.get(type(exc), HTTPStatus.BAD_REQUEST), str(exc)[:200])
        body = json.dumps(problem.members | {"request_id": request_id})
        head = (
            f"HTTP/1.1 {problem.status.value} {problem.status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {request_id}\r\n\r\n"
        )
        try:
            write_nonblock(client, (head + body).encode())
        except OSError:
            self.log.debug("the client of request %s is gone", request_id)


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
