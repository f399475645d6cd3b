"""From photos to answers: what one request may cost, who waits for whom, and what is shared."""

import threading
import time
from contextlib import nullcontext

import numpy as np

from flowers.errors import Rejected
from flowers.learning.kernels import FEW
from flowers.model import Prepared
from flowers.photos.decoding import scan
from flowers.photos.prescan import MAX_PIXELS
from scoring.server.together import Together

# What one request may cost, however many photos it has: pixels, and seconds of a processor.
MAX_REQUEST_PIXELS, MAX_REQUEST_SECONDS = 4 * MAX_PIXELS, 5
# Pixels times scans. Larger photos take a tenth of a second and more, and half of the processors
# at most: the others go on answering small ones.
LIGHT_WORK = 8_000_000
# Photos of one request that are in memory at a time, and answered together.
STACK = 8


class Answering:
    """Answers of a model to the photos of many requests.

    Each photo is read and made a row of features by the thread of its request. The model then
    looks at all rows that wait, whosever they are, in one call: reading its support vectors is
    most of what a single row costs, and with more rows they are read once.

    Parameters
    ----------
    model : flowers.model.Model
    processors : int
    """

    def __init__(self, model, processors):
        self._model = model
        # More photos at a time than processors make each answer slower and none sooner.
        self._turn = threading.Semaphore(max(2, processors))
        self._heavy = threading.Semaphore(max(1, processors // 2))
        self._judge = Together(self._judged, len, FEW)

    def answers(self, photos):
        """Answer the photos of a request, some at a time.

        Parameters
        ----------
        photos : list of (str, file)
            Name and content.

        Yields
        ------
        name : str
        photo : bytes
        answer : flowers.model.Answer or flowers.errors.Rejected
        """
        budget = _Budget()
        for first in range(0, len(photos), STACK):
            some = [(name, file.read()) for name, file in photos[first : first + STACK]]
            read = [self._prepared(photo, budget) for _, photo in some]
            stack = [photo for photo in read if isinstance(photo, Prepared)]
            told = iter(self._told(stack, budget) if stack else ())
            for (name, content), found in zip(some, read, strict=True):
                yield name, content, next(told) if isinstance(found, Prepared) else found

    def _prepared(self, photo, budget):
        try:
            _, scanned = scan(photo)
            budget.take(scanned.pixels)
            with nullcontext() if scanned.work <= LIGHT_WORK else self._heavy, self._turn:
                start = time.thread_time()
                try:
                    return self._model.prepared(photo)
                finally:
                    budget.seconds -= time.thread_time() - start
        except Rejected as error:
            return error

    def _told(self, stack, budget):
        rows, seconds = self._judge(stack)
        budget.seconds -= seconds * len(stack)
        return [self._model.told(*pair, seconds) for pair in zip(stack, rows, strict=True)]

    def _judged(self, stacks):
        """Give the probabilities of each stack, and the seconds that one photo took."""
        photos = [photo for stack in stacks for photo in stack]
        start = time.perf_counter()
        try:
            rows = self._model.judged(photos)
        except BaseException as error:  # whose photo it was shows when each stack has its own try
            alone = len(stacks) == 1
            return [error] if alone else [self._judged([stack])[0] for stack in stacks]
        seconds = (time.perf_counter() - start) / len(photos)
        ends = np.cumsum([len(stack) for stack in stacks])
        return [(part, seconds) for part in np.split(rows, ends[:-1])]


class _Budget:
    """What is left for the photos of a request."""

    def __init__(self):
        self.pixels, self.seconds = MAX_REQUEST_PIXELS, MAX_REQUEST_SECONDS

    def take(self, pixels):
        self.pixels -= pixels
        if self.pixels < 0 or self.seconds < 0:
            raise Rejected(
                "too much in one request",
                f"at most {MAX_REQUEST_PIXELS} pixels and {MAX_REQUEST_SECONDS} s are spent on "
                "one: send fewer or smaller photos at a time",
            )
