"""What many threads ask for at the same time, done for all of them in one go."""

import math
import threading
from collections import deque


class Together:
    """Call a function once for all that wait, instead of once for each.

    Whoever comes first does the work of all that wait by then, his own included; those that come
    meanwhile are the next group, and one of them works for it. Nobody waits for a clock: who
    comes alone is served at once.

    Parameters
    ----------
    function : callable
        From a list of items to a list of as many outcomes, in the same order. An outcome that is
        an exception is raised to whom it belongs; an exception that the function raises is raised
        to all of the group. It is never called by two threads at a time.
    size : callable, optional
        How large an item is.
    most : float, optional
        The sizes of a group sum up to so much, if it has more than one item.
    """

    def __init__(self, function, size=lambda item: 1, most=math.inf):
        self._function, self._size, self._most = function, size, most
        self._waiting, self._lock, self._led = deque(), threading.Lock(), False

    def __call__(self, item):
        """Give the outcome of an item, after the function has returned it."""
        call = _Call(item)
        with self._lock:
            self._waiting.append(call)
            leads, self._led = not self._led, True
        if not leads:
            call.asleep.acquire()  # until it is done, or the first of the next group
        if not call.done:
            self._work()
        if isinstance(call.outcome, BaseException):
            raise call.outcome
        return call.outcome

    def _work(self):
        """Work for the group that waits, the caller's own call first, and let the next begin."""
        with self._lock:
            group = self._group()
        try:
            outcomes = self._function([call.item for call in group])
        except BaseException as error:  # the thread of one must not keep what all have to know
            outcomes = [error] * len(group)
        if len(outcomes) != len(group):
            outcomes = [RuntimeError(f"{len(outcomes)} outcomes of {len(group)}")] * len(group)
        for call, outcome in zip(group, outcomes, strict=True):
            call.outcome, call.done = outcome, True
        for call in group[1:]:
            call.asleep.release()
        with self._lock:
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].asleep.release()

    def _group(self):
        group, room = [self._waiting.popleft()], self._most
        room -= self._size(group[0].item)
        while self._waiting and (room := room - self._size(self._waiting[0].item)) >= 0:
            group.append(self._waiting.popleft())
        return group


class _Call:
    """An item on its way."""

    def __init__(self, item):
        self.item, self.outcome, self.done = item, None, False
        self.asleep = threading.Lock()  # a fraction of what an Event costs
        self.asleep.acquire()
