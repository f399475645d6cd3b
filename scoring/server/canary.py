"""The canary: a model that gets a share of the images in the shadow of the production model."""

import hashlib
import logging
import queue
import threading
import time

from flowers.log import record
from flowers.model.card import CARD, read_card
from flowers.model.predictor import Predictor
from scoring.server.workers import Worker, WorkerCrash, load_canary, predict_canary

WAITING_IMAGES = 16
# Limits of its process: bytes, seconds of one image, seconds to load, crashes until it is off.
MEMORY, SECONDS, LOAD_SECONDS, CRASHES = 4_000_000_000, 30, 120, 3
# Between two log lines about a canary that fails.
QUIET_SECONDS = 60
_logger = logging.getLogger(__name__)


def is_sampled(request_id, ratio):
    """Whether the canary gets the images of a request; the same for the same id everywhere."""
    digest = hashlib.sha256(request_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < ratio * 2**64


class Canary:
    """A bounded queue, and a thread that sends what waits in it to a process of its own.

    The canary changes no response: an image is dropped where the queue is full, an exception is
    counted, a crash costs its own process. It shares the processors, with lower priority.

    Parameters
    ----------
    folder : Path
        A model folder; without ``card.json`` there is no canary.
    ratio : float in [0, 1]
        Share of the requests.
    write : callable
        Appends a list of records to the log.
    metrics : Metrics
    """

    def __init__(self, folder, ratio, write, metrics):
        self.ratio, self.state, self.predictor = ratio, "none", None
        self._folder, self._write, self._metrics = folder, write, metrics
        self._queue, self._crashes, self._quiet_until = queue.Queue(WAITING_IMAGES), 0, 0.0
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

    def stop(self):
        """Take no more images, and let the process end."""
        self.state = "none"
        self._worker.stop()

    def _run(self):
        try:
            # The card alone: the model file is loaded in the process of the canary.
            predictor = Predictor(None, *read_card(self._folder))
            self._worker.run(load_canary, str(self._folder), seconds=LOAD_SECONDS)
        except BaseException as error:
            self._switch_off(f"not loaded: {error}")
            return
        self.predictor, self.state = predictor, "loaded"
        self._metrics.set_model("canary", predictor)
        self._metrics.canary_on.set(1)
        while self.state == "loaded":
            image = self._queue.get()
            self._metrics.canary.labels(self._process(*image)).inc()

    def _process(self, data, request_id, index, label):
        """Score an image and return the outcome."""
        try:
            args = str(self._folder), data, SECONDS
            prediction = self._worker.run(predict_canary, *args, seconds=SECONDS)
            entry = record.build_prediction_record(
                self.predictor, prediction, request_id, index, "canary", data
            )
            self._write([entry])
        except WorkerCrash as error:
            self._crashes += 1
            _logger.error("the canary crashed on request %s: %s", request_id, error)
            if self._crashes == CRASHES:
                self._switch_off(f"switched off after {CRASHES} crashes")
            return "crashed"
        except BaseException as error:  # a model may raise anything, SystemExit too
            if time.monotonic() >= self._quiet_until:
                self._quiet_until = time.monotonic() + QUIET_SECONDS
                _logger.error("the canary failed on request %s: %s", request_id, error)
            return "failed"
        version = self.predictor.version
        self._metrics.predictions.labels(prediction.label, version, "canary").inc()
        self._metrics.disagreed.inc(prediction.label != label)
        return "scored"

    def _switch_off(self, state):
        self.stop()
        self.state = state
        self._metrics.canary_on.set(0)
        _logger.error("the canary in %s is %s; SIGHUP loads it again", self._folder, state)
