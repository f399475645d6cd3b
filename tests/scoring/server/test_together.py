"""One call for all that wait, and everybody's own outcome."""

import threading

import pytest

from scoring.server.together import Together
from tests.scoring.server.service import until
from tests.scoring.server.threads import started


class Slow:
    """A function whose calls wait until the test lets them go on; it keeps what it was given."""

    def __init__(self):
        self.calls, self.go, self.inside = [], threading.Semaphore(0), 0

    def __call__(self, items):
        self.calls.append(items)
        self.inside += 1
        assert self.inside == 1  # never two at a time
        assert self.go.acquire(timeout=60)
        self.inside -= 1
        return [self.outcome(item) for item in items]

    def outcome(self, item):
        return ValueError(item) if item < 0 else 2 * item


def asked(together, *items):
    """Futures of items that wait in this order."""
    futures = []
    for item in items:
        before = len(together._waiting)
        futures.append(started(together, item))
        until(lambda before=before: len(together._waiting) == before + 1)
    return futures


def begun(slow, together, item):
    future = started(together, item)
    until(lambda: slow.inside == 1)
    return future


def test_those_who_come_while_one_is_served_share_the_next_call():
    slow = Slow()
    together = Together(slow)
    first = begun(slow, together, 1)
    others = asked(together, 2, 3, 4)
    slow.go.release()
    assert first.result(60) == 2
    until(lambda: len(slow.calls) == 2)
    assert not any(future.done() for future in others)
    slow.go.release()
    assert [future.result(60) for future in others] == [4, 6, 8]
    assert slow.calls == [[1], [2, 3, 4]]
    slow.go.release()
    assert started(together, 5).result(60) == 10
    assert slow.calls[2:] == [[5]]


def test_an_outcome_that_is_an_error_is_raised_to_its_own_caller_alone():
    slow = Slow()
    together = Together(slow)
    first = begun(slow, together, -1)
    fine, wrong, last = asked(together, 2, -3, 4)
    slow.go.release(2)
    for future, item in ((first, "-1"), (wrong, "-3")):
        with pytest.raises(ValueError, match=item):
            future.result(60)
    assert (fine.result(60), last.result(60)) == (4, 8)


@pytest.mark.parametrize("broken", [OSError("full"), SystemExit("the end"), "too few"])
def test_a_call_that_fails_fails_for_its_whole_group_and_for_no_other(broken):
    slow = Slow()

    def function(items):
        outcomes = slow(items)
        if len(items) > 1 and isinstance(broken, BaseException):
            raise broken
        return outcomes if len(items) == 1 else outcomes[1:]

    together = Together(function)
    first = begun(slow, together, 1)
    group = asked(together, 2, 3)
    slow.go.release(2)
    assert first.result(60) == 2
    for future in group:
        with pytest.raises((OSError, SystemExit, RuntimeError)):
            future.result(60)
    slow.go.release()
    assert started(together, 4).result(60) == 8


def test_a_group_is_no_larger_than_it_may_be_and_keeps_the_order():
    slow = Slow()
    together = Together(slow, size=lambda item: item, most=5)
    begun(slow, together, 9)
    futures = asked(together, 2, 3, 1, 7, 1, 2)
    slow.go.release(6)
    assert [future.result(60) for future in futures] == [4, 6, 2, 14, 2, 4]
    assert slow.calls == [[9], [2, 3], [1], [7], [1, 2]]


def test_nobody_is_left_waiting():
    together = Together(lambda items: [-item for item in items], most=3)

    def many(start):
        return [together(item) for item in range(start, start + 300)]

    for start, future in [(300 * k, started(many, 300 * k)) for k in range(16)]:
        assert future.result(60) == [-item for item in range(start, start + 300)]
    assert not together._waiting and not together._led
