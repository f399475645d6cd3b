"""The process of the scorer: socket, signals, limits, and the settings of waitress."""

import logging
import resource
import signal
import socket
import sys
import threading

import waitress

from flowers.base.errors import BadInput
from scoring.server.app import create_app
from scoring.server.settings import read_settings

# Connections at a time; each takes a file descriptor and, with a body of some size, a second one.
MAX_CONNECTIONS = 5_000
# Descriptors of everything else: log, pipes to the worker processes.
RESERVED_FILES = 40
# A body that Flask refuses with a problem (413) has to be read by waitress first.
BODY_FACTOR = 5
SETTINGS = {
    # Seconds without a byte in either direction after which a connection is closed.
    "channel_timeout": 30,
    "cleanup_interval": 5,
    "asyncore_use_poll": True,
    "backlog": 1024,
    "recv_bytes": 65_536,
    "max_request_header_size": 8_192,
    # Beyond it a thread would wait for a client that does not read.
    "outbuf_high_watermark": 2**30,
    "log_socket_errors": False,
    "ident": None,
}


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
        connection_limit=find_connection_limit(),
        max_request_body_size=int(BODY_FACTOR * settings.max_upload_mb * 1e6),
        **SETTINGS,
    )
    scorer = app.extensions["scorer"]
    threading.Thread(target=_reload_on_hangup, args=(scorer,), daemon=True).start()
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    model = f"model {scorer.predictor.version} of {scorer.folder}"
    logging.info("Listening at: http://%s:%d (%s)", host, port, model)
    # Until SIGTERM; requests that have begun then get five seconds to be answered.
    server.run()
    scorer.stop()


def _exit(number, frame):
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def _reload_on_hangup(scorer):
    """Reload on SIGHUP, which every thread blocks; signals during a reload count as one."""
    while signal.sigwait({signal.SIGHUP}):
        scorer.reload()


def bind_socket(host, port):
    """Bind a socket and listen; clients that come while the model is loaded wait for it."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"HOST={host} does not resolve ({error}): set it to a name or an address of this "
            "machine, such as 127.0.0.1 or 0.0.0.0"
        ) from error
    # "localhost" may name ::1 first, where clients of 127.0.0.1 would find nothing.
    family, kind, _, _, address = min(addresses, key=lambda a: a[0] != socket.AF_INET)
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(SETTINGS["backlog"])
    except OSError as error:
        raise BadInput(
            f"HOST={host} PORT={port} cannot be used ({error.strerror}): stop what listens there, "
            "or set PORT to a free port and HOST to an address of this machine"
        ) from error
    return listener


def find_connection_limit():
    """Raise the limit of file descriptors as far as allowed; return how many connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS + RESERVED_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(1, (limit - RESERVED_FILES) // 2)
