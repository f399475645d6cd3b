"""The process of the scorer: socket, signals, file descriptors and the settings of waitress."""

import logging
import os
import resource
import shutil
import signal
import socket
import sys
import threading
from multiprocessing.util import get_temp_dir

import waitress

from flowers.base.errors import BadInput
from scoring.server.app import create_app
from scoring.server.settings import read_settings

# Connections at a time; each takes a file descriptor and, with a body of some size, a second one.
MAX_CONNECTIONS = 5_000
# Descriptors for the log, libraries and pipes to the worker processes.
RESERVED_FILES = 40
BACKLOG = 1024
# waitress has to read a body that Flask refuses with a problem (413).
BODY_FACTOR = 5


def main():
    """Serve until SIGTERM or SIGINT; reload the model on SIGHUP."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("waitress").setLevel(logging.ERROR)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    try:
        settings = read_settings()
        listener = bind_socket(settings.host, settings.port)
        app = create_app(settings)
    except BadInput as error:
        sys.exit(f"scoring.server: {' '.join(str(error).split())}")
    server = waitress.create_server(
        app,
        sockets=[listener],
        threads=settings.threads,
        connection_limit=raise_file_limit(),
        max_request_body_size=int(BODY_FACTOR * settings.max_upload_mb * 1e6),
        max_request_header_size=8_192,
        channel_timeout=30,  # seconds without a byte in either direction
        cleanup_interval=5,
        asyncore_use_poll=True,
        recv_bytes=65_536,
        # Unread bytes of a connection beyond which a thread would wait for its client.
        outbuf_high_watermark=2**30,
        log_socket_errors=False,
        ident=None,
    )
    scorer = app.extensions["scorer"]
    threading.Thread(target=_reload_on_hangup, args=(scorer,), daemon=True).start()
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    model = f"model {scorer.predictor.version}"
    logging.info("Listening at: http://%s:%d (%s)", host, port, model)
    # Until SIGTERM; waitress then waits up to five seconds for requests in progress.
    server.run()
    scorer.stop()
    shutil.rmtree(get_temp_dir(), ignore_errors=True)  # of the worker processes
    os._exit(0)  # without waiting for threads: a model may hang


def _exit(number, frame):
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _ignore)
    raise SystemExit(0)


def _ignore(number, frame):
    # SIG_IGN makes Python print a traceback if the signal is pending.
    pass


def _reload_on_hangup(scorer):
    """Reload on SIGHUP, which every thread blocks; signals during a reload count as one."""
    while signal.sigwait({signal.SIGHUP}):
        scorer.reload()


def bind_socket(host, port):
    """Bind a socket and listen; clients that connect while the model is loaded wait for it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"HOST={host} PORT={port} cannot be used ({error}): set HOST to a name or address of "
            "this machine, such as 127.0.0.1 or 0.0.0.0, and PORT to a free port"
        ) from error


def raise_file_limit():
    """Raise the limit of file descriptors as far as allowed; return how many connections fit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = 2 * MAX_CONNECTIONS + RESERVED_FILES
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(1, (limit - RESERVED_FILES) // 2)
