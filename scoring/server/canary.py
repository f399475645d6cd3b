"""The canary: a model that answers a share of the photos in the shadow of the production model."""

import hashlib
import logging
import queue
import threading
import time

from flowers.log import record
from flowers.model.folder import CARD, load_predictor
from scoring.server.budget import Budget
from scoring.server.readers import light

WAITING_PHOTOS = 64
WAITING_BYTES = 64_000_000
# Between two lines about a canary that fails: with many photos they would drown all others.
QUIET_SECONDS = 60
_logger = logging.getLogger(__name__)


def chosen(request_id, ratio):
    """Whether the canary gets the photos of a request; the same for the same id everywhere.

    Parameters
    ----------
    request_id : str
    ratio : float in [0, 1]
    """
    digest = hashlib.sha256(request_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < ratio * 2**64


class Canary:
    """One thread that loads the canary and scores what waits in a bounded queue.

    Nothing that the canary says reaches the user: a photo is dropped and counted where the queue
    is full, and an error is counted. It works on the same processors, so answers take longer while
    it does; ``docs/security.md`` says how much.

    Parameters
    ----------
    folder : Path
        A model folder; without ``card.json`` there is no canary.
    ratio : float in [0, 1]
    readers : Readers
    write : callable
        Puts a list of records into the log.
    metrics : Metrics
    """

    def __init__(self, folder, ratio, readers, write, metrics):
        self.ratio = ratio
        self.model = None
        self.state = "none"
        self._folder, self._readers = folder, readers
        self._write, self._metrics = write, metrics
        self._waiting = queue.Queue(WAITING_PHOTOS)
        self._bytes, self._lock = 0, threading.Lock()
        self._quiet_until, self._untold = 0.0, 0
        if ratio > 0 and (folder / CARD).is_file():
            self.state = "loading"
            # A daemon: one that hangs does not keep the process from ending.
            threading.Thread(target=self._run, name="canary", daemon=True).start()

    def wants(self, request_id):
        """Whether `submit` shall be called for the photos of this request."""
        return self.state in ("loading", "loaded") and chosen(request_id, self.ratio)

    def submit(self, photo, request_id, index, label):
        """Leave a photo for the canary, at once.

        Parameters
        ----------
        photo : bytes
        request_id : str
        index : int
            Of the photo in its request.
        label : str
            The answer of the production model.
        """
        with self._lock:
            fits = self._bytes + len(photo) <= WAITING_BYTES
            if fits:
                try:
                    self._waiting.put_nowait((photo, request_id, index, label))
                    self._bytes += len(photo)
                except queue.Full:
                    fits = False
        if not fits:
            self._metrics.canary.labels("dropped").inc()

    def _run(self):
        # Loaded here, so that a canary that hangs on loading holds nothing up either.
        try:
            self.model = load_predictor(self._folder)
        except BaseException as error:
            self.state = f"not loaded: {error}"
            _logger.error("the canary in %s cannot be loaded: %s", self._folder, error)
            return
        self.state = "loaded"
        self._metrics.add_model("canary", self.model)
        while True:
            photo, *rest = self._waiting.get()
            with self._lock:
                self._bytes -= len(photo)
            try:
                self._score(photo, *rest)
                self._metrics.canary.labels("scored").inc()
            # A model may raise anything, SystemExit too, and the next photo has its own chance.
            except BaseException:
                self._metrics.canary.labels("failed").inc()
                self._tell(rest[0])

    def _tell(self, request_id):
        """Log a failure with those that were not logged since the last line."""
        self._untold += 1
        if time.monotonic() >= self._quiet_until:
            _logger.exception(
                "the canary failed on %d photos, the last one of request %s",
                self._untold,
                request_id,
            )
            self._quiet_until, self._untold = time.monotonic() + QUIET_SECONDS, 0

    def _score(self, photo, request_id, index, label):
        answer = self._answered(photo)
        self._write(
            [record.build_prediction_record(self.model, answer, request_id, index, "canary", photo)]
        )
        self._metrics.predictions.labels(answer.label, self.model.version, "canary").inc()
        if answer.label != label:
            self._metrics.disagreed.inc()

    def _answered(self, photo):
        if light(photo):
            return self.model.predict([self.model.load(photo)])[0]
        read = self._readers.read(photo, self.model.card["size"], Budget())
        (answer,) = self.model.predict([self.model.to_sample(*read)])
        return answer
