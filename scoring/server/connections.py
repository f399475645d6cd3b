"""Connections of the scorer: a request meets the application when all of it has come, in time."""

import socket
import time
from collections import deque

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from scoring.server.parsing import Parser, ProblemTask

# Seconds from the connection, or from the answer before, to the end of the header.
HEADER_SECONDS = 10
# And to the end of the body: these, and one for each so many bytes that came.
BODY_SECONDS, BYTES_A_SECOND = 20, 50_000
# Seconds without a byte taken by a client that reads its answer.
READ_SECONDS = 30
# Connections whose requests are still coming: with more, the one that has come for longest goes.
MAX_CONNECTIONS = 512
# Of bodies that are still coming, all together; what is beyond half a megabyte of one is on disk.
MAX_COMING_BYTES = 200_000_000
# Seconds that a refused client may go on sending, so that it reads why, before it is cut off.
DRAIN_SECONDS = 3
# Seconds that idle connections stay open when the server stops, for what is on its way.
LINGER_SECONDS = 2
# Seconds that a whole request waits for a place before it is refused, and how many may: who asks
# again at once is slowed down, where refusing would cost more than answering.
PARKED_SECONDS, MAX_PARKED = 1, 128
# Between two looks at all connections.
_TEND_SECONDS = 0.25


class Channel(HTTPChannel):
    """A connection."""

    parser_class = Parser
    error_task_class = ProblemTask
    drained_since = None

    def __init__(self, *arguments, **options):
        # A request may come from here on, and an answer be read; not by a clock that is set.
        self.since = self.taken_since = time.monotonic()
        super().__init__(*arguments, **options)

    def handle_read(self):
        if self.drained_since is None:
            data = self._received()
            if data:
                self.received(data)
            elif data is not None and self.request and not self.request.completed:
                self.refuse(400, "the request ended before its end")
            elif data is not None:
                self.handle_close()
        elif self._received() == b"":
            self.handle_close()

    def _received(self):
        """What came, b"" at the end, None if nothing did."""
        try:
            return self.socket.recv(self.adj.recv_bytes)
        except BlockingIOError:
            return None

    def handle_write(self):
        """Write; of a connection to be closed first this side alone, so that no answer is lost."""
        if self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed, self.drained_since = False, time.monotonic()
            self.socket.shutdown(socket.SHUT_WR)
            return
        super().handle_write()

    def readable(self):
        return self.drained_since is not None or super().readable()

    def refuse(self, code, words):
        """Answer a request that is not all there with a problem."""
        with self.requests_lock:
            request, self.request = self.request, None
            request.refuse(code, words)
            self.requests.append(request)
            self.server.add_task(self)

    def service(self):
        if self.server.stopping:
            self.requests[0].headers["CONNECTION"] = "close"
        super().service()
        self.since = self.taken_since = time.monotonic()

    def send(self, data, do_close=True):
        sent = super().send(data, do_close=do_close)
        if sent:
            self.taken_since = time.monotonic()
        return sent

    @property
    def coming(self):
        """Bytes of a body that is not all there."""
        request = self.request
        return request.body_bytes_received if request else 0

    def tend(self, now):
        """Close or refuse what is overdue; what is being answered never is."""
        if self.requests:
            return
        if self.drained_since is not None:
            overdue = now - self.drained_since > DRAIN_SECONDS
        elif self.total_outbufs_len or self.close_when_flushed:
            overdue = now - self.taken_since > READ_SECONDS
        elif self.request is None:
            idle = LINGER_SECONDS if self.server.stopping else HEADER_SECONDS
            overdue = now - self.since > idle
        else:
            self._tend_request(now - self.since)
            return
        if overdue:
            self.handle_close()

    def _tend_request(self, age):
        if not self.request.headers_finished:
            if age > HEADER_SECONDS:
                self.refuse(408, f"the header did not come within {HEADER_SECONDS} s")
        elif age > BODY_SECONDS + self.coming / BYTES_A_SECOND:
            self.refuse(408, "the body comes too slowly")


class Server(TcpWSGIServer):
    """waitress on a socket that listens already, with deadlines and a limit of connections.

    Parameters
    ----------
    application : WSGI application
    listener : socket.socket
    threads : int
        Requests answered at the same time.
    max_body : int
        Bytes of a request.
    admits : callable
        Whether a request for this path would find a place now.
    """

    channel_class = Channel
    stopping = False

    def __init__(self, application, listener, threads, max_body, admits):
        self._next, self._admits, self._parked = 0.0, admits, deque()
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.queue_logger.setLevel("ERROR")
        dispatcher.set_thread_count(threads)
        adjustments = Adjustments(
            max_request_body_size=max_body + 1,  # waitress refuses as many, not more
            max_request_header_size=8_192,
            recv_bytes=65_536,
            connection_limit=10 * MAX_CONNECTIONS,
            ident=None,
        )
        super().__init__(
            application,
            map={},
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def maintenance(self, now):
        """Leave to `step` what waitress does while it waits."""

    def step(self, seconds):
        """Wait for events and handle them, for some seconds at most."""
        # Those that wait are looked at more often than an idle server looks at anything.
        wait = 0.02 if self._parked else min(seconds, _TEND_SECONDS)
        wasyncore.loop(wait, use_poll=True, map=self._map, count=1)
        now = time.monotonic()
        self._unpark(now)
        if now < self._next and len(self.active_channels) <= MAX_CONNECTIONS:
            return
        self._next = now + _TEND_SECONDS
        for channel in list(self.active_channels.values()):
            channel.tend(now)
        self._evict()

    def add_task(self, channel):
        """Hand a whole request to a thread, or let it wait for a place first."""
        path = getattr(channel.requests[0], "path", None)
        if len(self._parked) < MAX_PARKED and not self._admits(path):
            self._parked.append((time.monotonic() + PARKED_SECONDS, path, channel))
        else:
            super().add_task(channel)

    def _unpark(self, now):
        while self._parked:
            due, path, _ = self._parked[0]
            free = self._admits(path)
            if not free and now < due:
                return
            # One that is due finds no place, and is told so.
            super().add_task(self._parked.popleft()[2])
            if free:
                return  # it has to take its place before the next one is let in

    def _evict(self):
        waiting = [c for c in self.active_channels.values() if not c.requests]
        waiting.sort(key=lambda channel: channel.since)
        for channel in waiting[: max(0, len(waiting) - MAX_CONNECTIONS)]:
            channel.handle_close()
        coming = sum(channel.coming for channel in waiting)
        for channel in waiting:
            if coming <= MAX_COMING_BYTES:
                break
            coming -= channel.coming
            channel.handle_close()

    def stop(self):
        """Take no more connections; what is open gets its answer, and is told to close."""
        self.stopping = True
        self.del_channel()
        self.socket.close()

    @property
    def busy(self):
        """Whether anyone still waits for an answer or reads one."""
        return bool(self.active_channels)
