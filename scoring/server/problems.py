"""Errors as problem details for HTTP APIs (RFC 9457), each with the id of its request."""

import json
import logging

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

# Seconds after which another try makes sense, by status.
RETRY_AFTER = {429: "1", 503: "5"}
_logger = logging.getLogger(__name__)


class Problem(HTTPException):
    """An error that ends a request.

    `detail` says what is wrong and what to do about it; `members` are further members of the
    response, such as ``file`` and ``reason``.
    """

    def __init__(self, status, detail, **members):
        super().__init__(detail)
        self.code = status
        self.members = members


def render_problem(error):
    """Render an HTTPException, one of Flask or a `Problem`."""
    if error.code < 400:  # a redirect
        return error
    detail = error.description
    if error.code == 413 and not isinstance(error, Problem):
        detail = (
            f"a request may have {request.max_content_length / 1e6:g} MB and "
            f"{current_app.config['MAX_FILES']} images: send fewer or smaller ones at a time"
        )
    if error.code == 500:
        _logger.error("request %s failed with the exception above", g.request_id)
        detail = "an error inside the scorer; its log has it under the request id"
    body = {"type": "about:blank", "title": error.name, "status": error.code, "detail": detail}
    body |= getattr(error, "members", {}) | {"request_id": g.request_id}
    response = Response(json.dumps(body), error.code, content_type="application/problem+json")
    if error.code in RETRY_AFTER:
        response.headers["Retry-After"] = RETRY_AFTER[error.code]
    response.headers.extend(header for header in error.get_headers() if header[0] == "Allow")
    return response
