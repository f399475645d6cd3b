"""What stands behind the endpoints: the model, its queue, the log and the canary."""

import logging
import threading
import time
from contextlib import contextmanager, nullcontext

import numpy as np

from flowers.errors import Rejected
from flowers.learning.kernels import FEW
from flowers.log import days, record
from flowers.model import Prepared
from flowers.model_folder import TOLERANCE, find, golden_difference, load
from flowers.photos.decoding import scan
from flowers.photos.prescan import MAX_PIXELS
from scoring.answers import prediction
from scoring.server.canary import Canary
from scoring.server.guard import Ids
from scoring.server.metrics import Metrics
from scoring.server.problems import Problem
from scoring.server.settings import MODELS, processors
from scoring.server.together import Together

# About a record of five classes: what a probe writes after a failure.
RECORD_BYTES = 1024
# What one request may cost, however many photos it has: pixels, and seconds of a processor.
MAX_REQUEST_PIXELS, MAX_REQUEST_SECONDS = 4 * MAX_PIXELS, 5
# Pixels times scans. Larger photos take a tenth of a second and more, and half of the processors
# at most: the others go on answering small ones.
LIGHT_WORK = 8_000_000
# Photos of one request that are in memory at a time, and answered together.
STACK = 8
NOT_A_PHOTO = "not a JPEG, PNG or WEBP"
_logger = logging.getLogger(__name__)


class Scorer:
    """A loaded model that answers, with everything its answers go through.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    BadInput
        If there is no model or it is not the one of its card.
    """

    def __init__(self, settings):
        folder = find(MODELS, settings.model_dir)
        self.model = load(folder, settings.model_sha256)
        self.metrics, self.ids = Metrics(), Ids()
        self.metrics.add_model("production", self.model)
        self.golden_fault = golden_fault(self.model, folder)
        if self.golden_fault:
            _logger.error("not ready: %s", self.golden_fault)
        self._log_dir = settings.log_dir
        self._log_failed = False
        self.canary = Canary(settings.canary_dir, settings.canary_ratio, self.write, self.metrics)
        self._most, self._in_progress = processors() + settings.queue, 0
        self._counting = threading.Lock()
        # More photos at a time than processors make each answer slower and none sooner.
        self._turn = threading.Semaphore(max(2, processors()))
        self._judge, self._append = Together(self._judged, len, FEW), Together(self._appended)
        self._heavy = threading.Semaphore(max(1, processors() // 2))

    @contextmanager
    def place(self):
        """Hold a place among the requests that are answered or wait.

        Raises
        ------
        Problem
            429 at once, if there is none; 503, if the model must not answer.
        """
        if self.golden_fault:
            raise Problem(503, self.golden_fault)
        with self._counting:
            if self._in_progress >= self._most:
                raise Problem(429, "too many requests wait already: try again in a moment")
            self._in_progress += 1
        self.metrics.in_progress.inc()
        try:
            yield
        finally:
            self.metrics.in_progress.dec()
            with self._counting:
                self._in_progress -= 1

    def admits(self, path):
        """Whether a request for a path would find a place; of no use to those that hold one."""
        return path != "/predict" or self._in_progress < self._most

    def predict(self, request_id, photos):
        """Answer every readable photo of a request, after the log has the answers.

        Parameters
        ----------
        request_id : str
        photos : list of (str, file)
            Name and content.

        Returns
        -------
        list of dict
            One per photo, a prediction or an ``error``.

        Raises
        ------
        Problem
            If no photo can be read, or the log cannot be written.
        """
        wanted = self.canary.wants(request_id)
        entries, records, sampled = [], [], []
        budget = _Budget()
        for index, (name, photo, answer) in enumerate(self._answers(photos, budget)):
            if isinstance(answer, Rejected):
                self.metrics.rejected.labels(answer.reason).inc()
                entries.append({"file": name, "error": _photo_error(answer)})
                continue
            told = prediction(self.model, answer)
            entries.append({"file": name} | told | {"request_id": request_id})
            records.append(
                record.prediction(self.model, answer, request_id, index, "production", photo)
            )
            if wanted:
                sampled.append((photo, request_id, index, answer.label))
        if not records:
            raise _all_rejected(entries)
        self.write(records)
        for entry in records:
            self.metrics.predictions.labels(entry["label"], self.model.version, "production").inc()
        for photo in sampled:
            self.canary.submit(*photo)
        return entries

    def _answers(self, photos, budget):
        """Yield name, content and answer, or why there is none, some photos at a time."""
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
                    return self.model.prepared(photo)
                finally:
                    budget.seconds -= time.thread_time() - start
        except Rejected as error:
            return error

    def _told(self, stack, budget):
        rows, seconds = self._judge(stack)
        budget.seconds -= seconds * len(stack)
        return [self.model.told(*pair, seconds) for pair in zip(stack, rows, strict=True)]

    def _judged(self, stacks):
        """Give the probabilities of each stack, and the seconds that one photo took."""
        photos = [photo for stack in stacks for photo in stack]
        start = time.perf_counter()
        try:
            rows = self.model.judged(photos)
        except BaseException as error:  # whose photo it was shows when each stack has its own try
            alone = len(stacks) == 1
            return [error] if alone else [self._judged([stack])[0] for stack in stacks]
        seconds = (time.perf_counter() - start) / len(photos)
        ends = np.cumsum([len(stack) for stack in stacks])
        return [(part, seconds) for part in np.split(rows, ends[:-1])]

    def write(self, records):
        """Append records to the log.

        Raises
        ------
        Problem
            503, if they are not on the disk.
        """
        self._logged(self._append, days.entry(records))

    def _appended(self, entries):
        self.metrics.log_bytes.inc(days.append_all(self._log_dir, entries))
        return [None] * len(entries)

    def _logged(self, function, argument):
        try:
            function(argument)
        except OSError as error:
            self._log_failed = True
            self.metrics.log_errors.inc()
            _logger.error("the log in %s cannot be written: %s", self._log_dir, error)
            raise Problem(
                503, "the log cannot be written, and nothing is answered that is not logged"
            ) from error
        self._log_failed = False

    def _probe(self, size):
        self.metrics.log_bytes.inc(days.probe(self._log_dir, size))

    def checks(self):
        """What has to hold before a request is worth sending: "ok" or the fault, by name."""
        checks = {"model": "ok", "golden": self.golden_fault or "ok", "log": "ok"}
        try:
            self._logged(self._probe, RECORD_BYTES if self._log_failed else 1)
        except Problem as problem:
            checks["log"] = f"cannot be written: {problem.__cause__.strerror}"
        self.metrics.ready.set(all(value == "ok" for value in checks.values()))
        return checks


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


def golden_fault(model, folder):
    """Why the model does not answer here as it did when it was trained, or None."""
    try:
        difference = golden_difference(model, folder)
    except Exception as error:  # a model may raise anything
        return f"the golden photos cannot be answered: {type(error).__name__}: {error}"
    if difference <= TOLERANCE:
        return None
    return f"golden answers differ by {difference:.3g}, more than {TOLERANCE:g}"


def _photo_error(error):
    status = 415 if error.reason == NOT_A_PHOTO else 422
    return {"status": status, "reason": error.reason, "detail": error.detail}


def _all_rejected(entries):
    errors = [{"file": entry["file"]} | entry["error"] for entry in entries]
    first = errors[0]
    status = 415 if all(error["status"] == 415 for error in errors) else 422
    if len(errors) == 1:
        words = [first["file"], first["reason"], first["detail"]]
        return Problem(
            status,
            ": ".join(word for word in words if word),
            file=first["file"],
            reason=first["reason"],
        )
    return Problem(status, f"none of the {len(errors)} photos can be read", errors=errors)
