"""Who may post, and under which id: what a web page elsewhere could do through a browser."""

import threading
import uuid
from collections import OrderedDict
from urllib.parse import urlsplit

from flask import request
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

from scoring.server.problems import Problem

# Ids of requests that are remembered, so that none is given twice; a restart forgets them, and
# whoever reads the log takes the first answer of an id.
REMEMBERED_IDS = 100_000


def refuse_foreign():
    """Refuse to change anything on behalf of a page that is not ours.

    A form needs no permission to be posted across sites, but a browser says where it comes from
    (Fetch Metadata, RFC 6454). What is no browser says nothing, and is let through.

    Raises
    ------
    Problem
        403
    """
    if request.method not in ("GET", "HEAD"):
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        foreign = site not in (None, "none", "same-origin")
        if site != "same-origin" and origin is not None:
            foreign |= _host(origin) != request.host.lower()
        if foreign:
            raise Problem(403, "another site's page may not post here: use the page of this server")


def _host(origin):
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


class Ids:
    """Ids of the requests that were logged lately."""

    def __init__(self):
        self._given, self._lock = OrderedDict(), threading.Lock()

    def unique(self, wanted):
        """The id itself, or, if it was given before, one that begins with it."""
        with self._lock:
            if wanted in self._given:
                wanted = f"{wanted[:27]}-{uuid.uuid4()}"
            self._given[wanted] = None
            if len(self._given) > REMEMBERED_IDS:
                self._given.popitem(last=False)
        return wanted


class _LoudParser(FormDataParser):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options | {"silent": False})


def loud(request_class):
    """A class of requests that raise ValueError for a form that cannot be read.

    Without it such a form is one without photos.
    """
    assert issubclass(request_class, Request)
    return type("LoudRequest", (request_class,), {"form_data_parser_class": _LoudParser})
