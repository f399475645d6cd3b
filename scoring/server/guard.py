"""Checks of a request: its origin, its host, its form, and the uniqueness of its id."""

import threading
import uuid
from collections import OrderedDict
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask import Request, request
from werkzeug.formparser import FormDataParser

from scoring.server.problems import Problem

# Ids that are remembered, so that none is logged twice; a restart forgets them, and readers of the
# log take the first prediction of an id.
REMEMBERED_IDS = 100_000


def refuse_cross_origin():
    """Refuse to change anything for a page of another site (CSRF), with status 403.

    A form may be posted across sites without permission, but a browser names the origin (Fetch
    Metadata, RFC 6454). Clients that are not browsers send neither header and are let through.
    """
    if request.method not in ("GET", "HEAD"):
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        foreign = site not in (None, "none", "same-origin")
        if site != "same-origin" and origin is not None:
            foreign |= _get_host(origin) != request.host
        if foreign:
            raise Problem(403, "another site's page may not post here: use the page of this server")


def _get_host(origin):
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


class _StrictParser(FormDataParser):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options | {"silent": False})


class StrictRequest(Request):
    """A request that raises ValueError for a form that cannot be read; its host is lower case."""

    form_data_parser_class = _StrictParser

    def __init__(self, environ, *arguments, **options):
        environ["HTTP_HOST"] = environ.get("HTTP_HOST", "").lower()
        super().__init__(environ, *arguments, **options)


class Ids:
    """Ids of the requests that were logged recently."""

    def __init__(self):
        self._used, self._lock = OrderedDict(), threading.Lock()

    @contextmanager
    def reserve(self, wanted):
        """Yield the id, or one that begins with it if it is used; free it again on an exception."""
        with self._lock:
            request_id = f"{wanted[:27]}-{uuid.uuid4()}" if wanted in self._used else wanted
            self._used[request_id] = None
            if len(self._used) > REMEMBERED_IDS:
                self._used.popitem(last=False)
        try:
            yield request_id
        except BaseException:
            with self._lock:
                self._used.pop(request_id, None)
            raise
