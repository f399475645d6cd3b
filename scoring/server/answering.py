"""From photos to answers: what one request may cost, who waits for whom, and what is shared."""

import threading
import time
from contextlib import contextmanager

import numpy as np

from flowers.base.errors import RejectedImage
from flowers.learning.gram import BATCH_INVARIANT_ROWS
from flowers.model.predictor import Sample
from scoring.server.budget import Budget
from scoring.server.readers import light
from scoring.server.together import Together

# Photos of one request that are in memory at a time, and answered together.
STACK = 8


class Answering:
    """Answers of a model to the photos of many requests.

    Each photo is read and made a row of features by the thread of its request. The model then
    looks at all rows that wait, whosever they are, in one call: reading its support vectors is
    most of what a single row costs, and with more rows they are read once.

    Parameters
    ----------
    model : flowers.model.predictor.Model
    processors : int
    readers : scoring.server.readers.Readers
    """

    def __init__(self, model, processors, readers):
        self._model, self._readers = model, readers
        # More photos at a time than processors make each answer slower and none sooner.
        self._turn = threading.Semaphore(max(2, processors))
        self._judge = Together(self._judged, len, BATCH_INVARIANT_ROWS)

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
        answer : flowers.model.predictor.Answer or flowers.base.errors.RejectedImage
        """
        budget = Budget()
        for first in range(0, len(photos), STACK):
            some = [(name, file.read()) for name, file in photos[first : first + STACK]]
            read = [self._prepared(photo, budget) for _, photo in some]
            stack = [photo for photo in read if isinstance(photo, Sample)]
            told = iter(self._told(stack, budget) if stack else ())
            for (name, content), found in zip(some, read, strict=True):
                yield name, content, next(told) if isinstance(found, Sample) else found

    def _prepared(self, photo, budget):
        try:
            scanned = light(photo)
            if scanned is None:
                read = self._readers.read(photo, self._model.card["size"], budget)
                with self._spending(budget):
                    return self._model.to_sample(*read)
            budget.take(scanned.width * scanned.height)
            with self._spending(budget):
                return self._model.load(photo)
        except RejectedImage as error:
            return error

    @contextmanager
    def _spending(self, budget):
        with self._turn:
            start = time.thread_time()
            try:
                yield
            finally:
                budget.seconds -= time.thread_time() - start

    def _told(self, stack, budget):
        predictions, seconds = self._judge(stack)
        budget.seconds -= seconds * len(stack)
        return predictions

    def _judged(self, stacks):
        """Give the probabilities of each stack, and the seconds that one photo took."""
        photos = [photo for stack in stacks for photo in stack]
        start = time.perf_counter()
        try:
            rows = self._model.predict(photos)
        except BaseException as error:  # whose photo it was shows when each stack has its own try
            alone = len(stacks) == 1
            return [error] if alone else [self._judged([stack])[0] for stack in stacks]
        seconds = (time.perf_counter() - start) / len(photos)
        ends = np.cumsum([len(stack) for stack in stacks])
        return [
            (rows[end - len(stack) : end], seconds) for stack, end in zip(stacks, ends, strict=True)
        ]
