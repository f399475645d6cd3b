"""Clients that are slow, silent, or do not read keep no other client waiting."""

import os
import socket
import threading
import time
from contextlib import ExitStack

import pytest
from PIL import Image

from scoring.server.settings import EXPENSIVE_PLACES, Settings
from tests.flowers.images.photo_files import encode_image
from tests.scoring.server.service import running

BEGINNING = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture
def attacked(place):
    with running(place) as service:
        yield service


def connect(stack, service, data=b""):
    """Open a connection with a small receive buffer, and send without reading."""
    connection = stack.enter_context(socket.socket())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", service.port))
    connection.sendall(data)
    return connection


def time_health(service):
    start = time.monotonic()
    assert service.get("/health").status == 200
    return time.monotonic() - start


def test_clients_that_pipeline_and_never_read_hold_no_thread(attacked):
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(2 * Settings().threads):
            connect(stack, attacked, 300 * request)
        time.sleep(3)
        assert min(time_health(attacked) for _ in range(10)) < 1
    assert min(time_health(attacked) for _ in range(10)) < 1


def test_slow_and_silent_connections_keep_nobody_waiting(attacked, photo):
    with ExitStack() as stack:
        held = [connect(stack, attacked, data) for data in 100 * (b"G", b"", BEGINNING)]
        for _ in range(10):
            for connection in held[::3]:
                connection.sendall(b"x")
            assert time_health(attacked) < 5
            assert attacked.predict(("a.jpg", photo)).status == 200


def test_clients_with_large_images_get_429_and_those_with_small_ones_are_served(attacked, photo):
    large = encode_image(Image.effect_noise((5000, 4000), 60), "JPEG", quality=70)
    statuses, stop = [], threading.Event()

    def send():
        while not stop.is_set():
            statuses.append(attacked.predict(("a.jpg", large)).status)

    threads = [threading.Thread(target=send) for _ in range(EXPENSIVE_PLACES + 12)]
    for thread in threads:
        thread.start()
    try:
        small = [attacked.predict(("a.jpg", photo)).status for _ in range(40)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert small.count(200) >= 38
    assert set(statuses) == {200, 429}


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_no_file_stays_open_for_clients_that_do_not_read(attacked):
    request = b"GET /static/icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n"
    files = f"/proc/{attacked.pid}/fd"
    attacked.get("/health")
    before = len(os.listdir(files))
    with ExitStack() as stack:
        for _ in range(10):
            connect(stack, attacked, 1000 * request)
        time.sleep(2)
        assert len(os.listdir(files)) < before + 40
