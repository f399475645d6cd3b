"""Predictions of many requests in one call of the model."""

import queue
import threading
from concurrent.futures import Future

# `Predictor.predict` gives each row the bits that it has alone, in calls of up to this many rows.
MAX_ROWS = 32


class Batcher:
    """One queue, and one thread that classifies the samples that wait in it.

    Reading the support vectors is most of the cost of a row; one call reads them once for all its
    rows. The thread waits for no clock: when it is free it takes the requests in the queue.
    """

    def __init__(self):
        self._queue = queue.SimpleQueue()
        threading.Thread(target=self._run, name="batcher", daemon=True).start()

    def predict(self, predictor, samples):
        """Classify the samples of a request, together with those of other requests."""
        future = Future()
        self._queue.put((predictor, samples, future))
        return future.result()

    def _run(self):
        following = None
        while True:
            batch = [following or self._queue.get()]
            following = self._fill_batch(batch)
            _classify_batch(batch)

    def _fill_batch(self, batch):
        """Add the requests that wait and fit; return the first that does not fit, or None."""
        rows = len(batch[0][1])
        while not self._queue.empty():
            request = self._queue.get()
            rows += len(request[1])
            # During a reload, requests for the old and the new model are in the queue.
            if rows > MAX_ROWS or request[0] is not batch[0][0]:
                return request
            batch.append(request)
        return None


def _classify_batch(batch):
    predictor, _, first = batch[0]
    try:
        predictions = iter(predictor.predict([s for _, samples, _ in batch for s in samples]))
        for _, samples, future in batch:
            future.set_result([next(predictions) for _ in samples])
    except BaseException as error:  # a model may raise anything
        if len(batch) == 1:
            first.set_exception(error)
            return
        for request in batch:  # the other requests of the batch shall not fail
            _classify_batch([request])
