"""What stands behind the endpoints: the model, its queue, the log and the canary."""

import logging
import threading
from contextlib import contextmanager

from flowers.base.errors import RejectedImage
from flowers.log import day_files, record
from flowers.model.folder import (
    TOLERANCE,
    find_model_folder,
    load_predictor,
    measure_golden_difference,
)
from scoring.answers import prediction
from scoring.server.answering import Answering
from scoring.server.canary import Canary
from scoring.server.guard import Ids
from scoring.server.metrics import Metrics
from scoring.server.problems import Problem
from scoring.server.readers import Readers
from scoring.server.settings import MODELS, processors
from scoring.server.together import Together

# About a record of five classes: what a probe writes after a failure.
RECORD_BYTES = 1024
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
        folder = find_model_folder(MODELS, settings.model_dir)
        self.model = load_predictor(folder, settings.model_sha256)
        self.metrics, self.ids = Metrics(), Ids()
        self.metrics.add_model("production", self.model)
        self.golden_fault = golden_fault(self.model, folder)
        if self.golden_fault:
            _logger.error("not ready: %s", self.golden_fault)
        self._log_dir = settings.log_dir
        self._log_failed = False
        self._append = Together(self._appended)
        readers = Readers(max(1, processors() // 2))
        self._answering = Answering(self.model, processors(), readers)
        self.canary = Canary(
            settings.canary_dir, settings.canary_ratio, readers, self.write, self.metrics
        )
        self._most, self._in_progress = processors() + settings.queue, 0
        self._counting = threading.Lock()

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
        for index, (name, photo, answer) in enumerate(self._answering.answers(photos)):
            if isinstance(answer, RejectedImage):
                self.metrics.rejected.labels(answer.reason).inc()
                entries.append({"file": name, "error": _photo_error(answer)})
                continue
            told = prediction(self.model, answer)
            entries.append({"file": name} | told | {"request_id": request_id})
            records.append(
                record.build_prediction_record(
                    self.model, answer, request_id, index, "production", photo
                )
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

    def write(self, records):
        """Append records to the log.

        Raises
        ------
        Problem
            503, if they are not on the disk.
        """
        self._logged(self._append, day_files.serialise_records(records))

    def _appended(self, entries):
        self.metrics.log_bytes.inc(day_files.append_lines(self._log_dir, entries))
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
        self.metrics.log_bytes.inc(day_files.check_writable(self._log_dir, size))

    def checks(self):
        """What has to hold before a request is worth sending: "ok" or the fault, by name."""
        checks = {"model": "ok", "golden": self.golden_fault or "ok", "log": "ok"}
        try:
            self._logged(self._probe, RECORD_BYTES if self._log_failed else 1)
        except Problem as problem:
            checks["log"] = f"cannot be written: {problem.__cause__.strerror}"
        self.metrics.ready.set(all(value == "ok" for value in checks.values()))
        return checks


def golden_fault(model, folder):
    """Why the model does not answer here as it did when it was trained, or None."""
    try:
        difference = measure_golden_difference(model, folder)
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
