"""Errors as problem details for HTTP APIs (RFC 9457), each with the id of its request."""

import json
import logging
from http import HTTPStatus

from flask import Response, current_app, g
from werkzeug.exceptions import HTTPException

_logger = logging.getLogger(__name__)

# Seconds after which another try makes sense.
RETRY_AFTER = {HTTPStatus.TOO_MANY_REQUESTS: 1, HTTPStatus.SERVICE_UNAVAILABLE: 5}


class Problem(Exception):
    """An error that ends a request.

    Parameters
    ----------
    status : int
        HTTP status code.
    detail : str
        What is wrong with this request and what to do about it.
    **members
        Further members of the response, such as ``file`` and ``reason``.
    """

    def __init__(self, status, detail, **members):
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.members = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": detail,
        } | members


def register_handlers(app):
    """Make `app` turn every error, its own and those of Flask, into a problem."""
    app.register_error_handler(Problem, _render)
    app.register_error_handler(HTTPException, _render_http_error)
    app.register_error_handler(Exception, _render_unexpected)


def _render(problem):
    body = json.dumps(problem.members | {"request_id": g.request_id})
    response = Response(body, problem.status, content_type="application/problem+json")
    if problem.status in RETRY_AFTER:
        response.headers["Retry-After"] = str(RETRY_AFTER[problem.status])
    return response


def _render_http_error(error):
    if error.code < 400:  # a redirect
        return error
    detail = error.description
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = (
            f"a request may have {current_app.config['MAX_CONTENT_LENGTH'] / 1e6:g} MB and "
            f"{current_app.config['MAX_FILES']} images: send fewer or smaller ones at a time"
        )
    response = _render(Problem(error.code, detail))
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _render_unexpected(error):
    _logger.error("request %s failed", g.request_id, exc_info=error)
    return _render(Problem(500, "an error inside the scorer; its log has it under the request id"))
