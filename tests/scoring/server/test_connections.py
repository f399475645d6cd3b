"""Clients that are slow, silent or many: the others are answered, and each has a deadline."""

import http.client
import json
import socket
import threading
import time

import pytest

from scoring.server import connections
from tests.scoring.server.service import PATIENCE, until

HEADER = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"

LARGE = 12_000_000


def application(environ, start_response):
    large = environ["PATH_INFO"] == "/large"
    body = bytes(LARGE) if large else environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Content-Type", "text/plain")])
    return [body]


@pytest.fixture
def server():
    """A server in this process, so that its limits can be changed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        full = threading.Event()
        server = connections.Server(
            application, listener, 2, 10_000, lambda path: path != "/full" or not full.is_set()
        )
        server.full = full
        server.port, stop = listener.getsockname()[1], threading.Event()

        def run():
            while not stop.is_set():
                server.step(0.05)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join()
            for channel in list(server.active_channels.values()):
                channel.handle_close()
            server.task_dispatcher.shutdown()
            server.trigger.close()


def opened(server, data=b""):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall(data)
    return connection


def answer(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"GET / HT", HEADER + b"x"])
def test_who_does_not_finish_a_request_in_time_is_told_so(server, monkeypatch, sent):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.3)
    with opened(server, sent) as connection:
        status, body = answer(connection)
        assert status == json.loads(body)["status"] == 408
        assert is_closed(connection)


def test_a_byte_now_and_then_does_not_move_the_deadline(server, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 1)
    with opened(server) as connection:
        start = time.monotonic()
        connection.settimeout(0.05)
        data = b""
        while not data and time.monotonic() - start < PATIENCE:
            try:
                connection.sendall(b"G")
                data = connection.recv(100)
            except TimeoutError:
                pass
        assert b"408" in data


def test_a_clock_that_is_set_cuts_off_nobody_who_reads_an_answer(server, monkeypatch):
    with opened(server, b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
        assert connection.recv(1)
        until(lambda: not any(channel.requests for channel in server.active_channels.values()))
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 3600)
        time.sleep(4 * connections._TEND_SECONDS)
        left = LARGE
        while left > 0 and (data := connection.recv(1_000_000)):
            left -= len(data)
        assert left <= 0


def test_who_says_nothing_is_closed(server, monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with opened(server) as connection:
        assert is_closed(connection)


def test_a_body_that_comes_fast_enough_may_take_its_time(server, monkeypatch):
    monkeypatch.setattr(connections, "BODY_SECONDS", 0)
    monkeypatch.setattr(connections, "BYTES_A_SECOND", 1)
    with opened(server, HEADER) as connection:
        for _ in range(10):
            connection.sendall(bytes(100))
            time.sleep(0.05)
        assert answer(connection) == (200, bytes(1_000))


def test_with_too_many_connections_the_one_that_takes_longest_goes(server, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 10)
    held = [opened(server, HEADER) for _ in range(10)]
    until(lambda: len(server.active_channels) == 10)
    for _ in range(3):
        with opened(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") as another:
            assert answer(another)[0] == 200
        # It is closed by the client: nobody had to go for the next one.
        until(lambda: len(server.active_channels) <= 10)
    assert is_closed(held[0])
    held[-1].sendall(bytes(1_000))
    assert answer(held[-1])[0] == 200
    for connection in held:
        connection.close()


def test_bodies_that_are_coming_have_a_limit_together(server, monkeypatch):
    monkeypatch.setattr(connections, "MAX_COMING_BYTES", 2_000)
    held = [opened(server, HEADER + bytes(900)) for _ in range(3)]
    assert is_closed(held[0])
    for connection in held[1:]:
        connection.sendall(bytes(100))
        assert answer(connection)[0] == 200
    for connection in held:
        connection.close()


def test_a_refusal_is_read_by_a_client_that_is_still_sending(server):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n"
    with opened(server) as connection:
        connection.sendall(head + bytes(5_000_000))
        status, body = answer(connection)
    assert status == json.loads(body)["status"] == 413


def test_a_request_waits_for_a_place_and_not_for_ever(server, monkeypatch):
    ask = b"GET /full HTTP/1.1\r\nHost: localhost\r\n\r\n"
    server.full.set()
    with opened(server, ask) as connection:
        assert answer(connection)[0] == 200  # the application is asked once it is due
    monkeypatch.setattr(connections, "PARKED_SECONDS", 2 * PATIENCE)
    with opened(server, ask) as first, opened(server, ask) as second:
        until(lambda: len(server._parked) == 2)
        with opened(server, ask.replace(b"full", b"free")) as other:
            assert answer(other)[0] == 200
        assert len(server._parked) == 2
        server.full.clear()
        assert answer(first)[0] == answer(second)[0] == 200


def test_those_that_wait_for_a_place_are_not_many(server, monkeypatch):
    monkeypatch.setattr(connections, "PARKED_SECONDS", 2 * PATIENCE)
    monkeypatch.setattr(connections, "MAX_PARKED", 0)
    server.full.set()
    with opened(server, b"GET /full HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
        assert answer(connection)[0] == 200


@pytest.mark.slow
def test_slow_and_silent_connections_keep_nobody_waiting(service, photo):
    beginning = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    held = [opened(service, b"G") for _ in range(100)] + [opened(service) for _ in range(40)]
    held += [opened(service, beginning) for _ in range(60)]
    try:
        for number in range(30):
            for connection in held[::3]:
                connection.sendall(b"x") if number < 5 else None
            for path in ("/health", "/ready"):
                assert service.get(path).status == 200
            assert service.predict(("a.jpg", photo)).status == 200
    finally:
        for connection in held:
            connection.close()
