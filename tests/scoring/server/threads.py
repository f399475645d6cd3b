"""Threads that may hang without keeping the tests from their end."""

import threading
from concurrent.futures import Future


def started(function, *arguments):
    """The future of a call in a thread of its own."""
    future = Future()

    def run():
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
