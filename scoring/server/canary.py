"""The canary: a model that gets a share of the images in the shadow of the production model."""

import hashlib
import logging
import queue
import threading
from contextlib import suppress

from flowers.log import record
from flowers.model.card import CARD, read_card
from flowers.model.predictor import Predictor
from scoring.server.workers import find_fault, predict_canary
from scoring.worker import Worker, WorkerCrash

WAITING_IMAGES = 16
# Limits of its process: bytes, seconds of one image, seconds to load.
MEMORY = 4_000_000_000
SECONDS = 30
LOAD_SECONDS = 120
MAX_CRASHES = 3
_logger = logging.getLogger(__name__)


def is_sampled(request_id, ratio):
    """Whether the canary gets the images of a request; the same for the same id everywhere."""
    digest = hashlib.sha256(request_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < ratio * 2**64


class Canary:
    """A bounded queue, and a thread that sends its images to a process of its own.

    The canary changes no response: an image is dropped where the queue is full, an exception is
    counted, a crash costs its own process. It gets the share `ratio` of the requests; `folder` is
    its model folder, without ``card.json`` there is no canary; `write` appends records to the log.
    """

    def __init__(self, folder, ratio, write, metrics):
        self.ratio = ratio
        self.state = "none"
        self.predictor = None
        self._folder = folder
        self._write = write
        self._metrics = metrics
        self._queue = queue.Queue(WAITING_IMAGES)
        self._crashes = 0
        self._worker = Worker(MEMORY)
        if ratio > 0 and (folder / CARD).is_file():
            self.state = "loading"
            threading.Thread(target=self._run, name="canary", daemon=True).start()

    def submit(self, data, request_id, index, label):
        """Queue an image with the label that production predicts, or drop it."""
        if self.state in ("loading", "loaded") and is_sampled(request_id, self.ratio):
            try:
                self._queue.put_nowait((data, request_id, index, label))
            except queue.Full:
                self._metrics.canary.labels("dropped").inc()

    def stop(self, state="none"):
        """Take no more images, and end the process."""
        self.state = state
        self._metrics.canary_on.set(0)
        self._worker.stop()

    def _run(self):
        try:
            # The card alone: the model file is loaded in the process of the canary.
            self.predictor = Predictor(None, *read_card(self._folder))
            fault = self._worker.run(find_fault, self._folder, seconds=LOAD_SECONDS)
        except Exception as error:
            fault = error
        if fault:
            self._disable(f"not loaded: {fault}")
            return
        self.state = "loaded"
        self._metrics.model.labels("canary", self.predictor.version, self.predictor.md5).set(1)
        self._metrics.canary_on.set(1)
        while self.state == "loaded":
            with suppress(queue.Empty):  # so that a stopped canary ends its thread
                image = self._queue.get(timeout=1)
                self._metrics.canary.labels(self._score(*image)).inc()

    def _score(self, data, request_id, index, label):
        """Log the prediction for an image and return the outcome."""
        try:
            prediction = self._worker.run(predict_canary, self._folder, data, seconds=SECONDS)
            entry = record.build_prediction_record(
                self.predictor, prediction, request_id, index, "canary", data
            )
            self._write([entry])
        except Exception as error:
            if self.state == "none":  # stopped by a reload
                return "dropped"
            outcome = "crashed" if isinstance(error, WorkerCrash) else "failed"
            _logger.error("the canary %s on request %s: %s", outcome, request_id, error)
            self._crashes += outcome == "crashed"
            if self._crashes == MAX_CRASHES:
                self._disable(f"switched off after {MAX_CRASHES} crashes")
            return outcome
        version = self.predictor.version
        self._metrics.predictions.labels(prediction.label, version, "canary").inc()
        self._metrics.disagreed.inc(prediction.label != label)
        return "scored"

    def _disable(self, state):
        if self.state == "none":  # stopped by a reload
            return
        self.stop(state)
        _logger.error("the canary in %s is %s; SIGHUP loads it again", self._folder, state)
