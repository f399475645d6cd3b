"""From bytes on a connection to whole requests: waitress's parser, stricter, and its refusals."""

import json
import logging
import uuid

from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestHeaderFieldsTooLarge

from scoring.server.problems import Problem

# waitress has a status of its own for these; to our clients they are bad requests.
BAD_REQUESTS = {500: 400, 501: 400}
_logger = logging.getLogger(__name__)


class Refusal(Error):
    """What is no request, or no longer one that is waited for."""

    def __init__(self, code, body):
        super().__init__(body)
        self.code = code


class Parser(HTTPRequestParser):
    """Refuses what waitress would overlook or take for another request."""

    def received(self, data):
        seen = self.header_plus + data if self.body_rcv is None else b""
        try:
            consumed = super().received(data)
        except ValueError as error:  # a path such as http://[::1/
            self.refuse(400, f"the request cannot be read: {error}")
            return len(data)
        if isinstance(self.error, RequestHeaderFieldsTooLarge):
            limit = self.adj.max_request_header_size
            if b"\n" not in seen[:limit]:
                self.refuse(414, f"the path may have {limit} bytes, headers included")
        return consumed

    def parse_header(self, header_plus):
        super().parse_header(header_plus)
        expected = self.headers.get("EXPECT", "").lower()
        if self.version not in ("1.0", "1.1"):
            self.refuse(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
        elif expected not in ("", "100-continue"):
            self.refuse(417, f"nothing is known of {expected[:100]}")
        elif b"\r\n " in header_plus or b"\r\n\t" in header_plus:
            self.refuse(400, "a header goes over several lines")

    def refuse(self, code, words):
        self.error, self.completed = Refusal(code, words), True


class ProblemTask(ErrorTask):
    """Answers what is no request as a problem, like every other error."""

    def execute(self):
        error, request_id = self.request.error, str(uuid.uuid4())
        _logger.warning("request %s refused: %s", request_id, error.body[:200])
        problem = Problem(BAD_REQUESTS.get(error.code, error.code), error.body[:200])
        body = json.dumps(problem.members | {"request_id": request_id}).encode()
        self.status = f"{problem.status.value} {problem.status.phrase}"
        self.response_headers += [
            ("Content-Type", "application/problem+json"),
            ("X-Request-Id", request_id),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
