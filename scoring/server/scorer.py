"""The model that is served, and everything between an image and its logged prediction."""

import logging
import threading
from contextlib import ExitStack, contextmanager

from flowers.base.errors import BadInput, RejectedImage
from flowers.images import decoding
from flowers.log import day_files, record
from flowers.model.folder import check_golden_predictions, find_model_folder, load_predictor
from flowers.model.predictor import Sample
from scoring.answers import describe_prediction
from scoring.server.batcher import Batcher
from scoring.server.canary import Canary
from scoring.server.guard import Ids
from scoring.server.metrics import Metrics
from scoring.server.problems import Problem
from scoring.server.settings import EXPENSIVE_PLACES, MODELS, count_processors
from scoring.server.workers import Worker, WorkerCrash, WorkerError, decode

# Images of one request that are in memory as samples, and classified together.
CHUNK = 8
# Expensive images in one request, and limits of one: seconds, seconds of a processor, bytes.
EXPENSIVE_FILES, DECODE_SECONDS, DECODE_CPU_SECONDS, DECODE_MEMORY = 8, 10, 6, 1_500_000_000
# Larger bodies take the places of expensive images before their form is read.
EXPENSIVE_BODY = 2_000_000
# Limits of trying a new model: seconds and bytes.
CHECK_SECONDS, CHECK_MEMORY = 120, 16_000_000_000
# About a record of five classes: what a probe of the log writes after a failure.
RECORD_BYTES = 1024
_logger = logging.getLogger(__name__)


def load_checked(settings):
    """Load the model of the settings and compare its golden predictions.

    Returns
    -------
    predictor : flowers.model.predictor.Predictor
    folder : Path

    Raises
    ------
    BadInput
        If it is not to be served.
    """
    folder = find_model_folder(MODELS, settings.model_dir)
    predictor = load_predictor(folder, settings.model_sha256)
    check_golden_predictions(predictor, folder)
    return predictor, folder


def find_fault(settings):
    """Load and check a model without keeping it; return why it is not to be served, or None."""
    try:
        load_checked(settings)
    except BadInput as error:
        return str(error)
    return None


class Scorer:
    """A loaded model with everything that its predictions go through."""

    def __init__(self, settings):
        self._settings, self._log_failed, self.started = settings, False, record.format_now()
        self.metrics, self.ids = Metrics(), Ids()
        try:
            day_files.check_writable(settings.log_dir)
        except OSError as error:
            raise BadInput(
                f"LOG_DIR={settings.log_dir} cannot be written ({error.strerror}): set it to a "
                "folder to write to"
            ) from error
        self._serve(*load_checked(settings))
        self._cheap = threading.BoundedSemaphore(settings.places)
        self._expensive = threading.BoundedSemaphore(EXPENSIVE_PLACES)
        # More images at a time than processors make each response slower and none sooner.
        self._turn = threading.Semaphore(max(2, count_processors()))
        self._batcher, self._decoder = Batcher(), Worker(DECODE_MEMORY)

    def _serve(self, predictor, folder):
        self.predictor, self.loaded_at = predictor, record.format_now()
        self.metrics.set_model("production", predictor)
        settings = self._settings
        self.canary = Canary(settings.canary_dir, settings.canary_ratio, self.write, self.metrics)
        self.folder = folder

    def reload(self):
        """Load the model again and serve it from now on; keep the present one if that fails."""
        tester = Worker(CHECK_MEMORY)
        try:
            # First in another process: a model file may hang, or end the process that loads it.
            if fault := tester.run(find_fault, self._settings, seconds=CHECK_SECONDS):
                raise BadInput(fault)
            predictor, folder = load_checked(self._settings)
        except (BadInput, WorkerCrash, WorkerError) as error:
            _logger.error("Not reloaded: %s", " ".join(str(error).split()))
            return
        finally:
            tester.stop()
        self.canary.stop()
        self._serve(predictor, folder)
        _logger.info("Reloaded: model %s of %s", predictor.version, folder)

    def stop(self):
        """End the worker processes."""
        self._decoder.stop()
        self.canary.stop()

    @contextmanager
    def _place(self, places):
        if not places.acquire(blocking=False):
            raise Problem(429, "too many requests wait already: try again in a moment")
        try:
            with self.metrics.in_progress.track_inprogress():
                yield
        finally:
            places.release()

    def predict(self, request_id, body_bytes, read_images):
        """Classify the readable images of a request, after the log has the predictions.

        Parameters
        ----------
        request_id : str
            If it is used already, another one takes its place.
        body_bytes : int
        read_images : callable
            Returns a list of (name, bytes).

        Returns
        -------
        request_id : str
        predictor : Predictor
        predictions : list of dict
            One per image, with a prediction or an ``error``.
        """
        with ExitStack() as stack:
            # Before the form is read: a refusal costs little.
            places = self._expensive if body_bytes > EXPENSIVE_BODY else self._cheap
            stack.enter_context(self._place(places))
            images = read_images()
            cheap = [_is_cheap(data) for _, data in images]
            if places is self._cheap and not all(cheap):
                stack.close()  # who waits for the decode process holds no place of cheap images
                stack.enter_context(self._place(self._expensive))
            request_id = stack.enter_context(self.ids.reserve(request_id))
            predictor = self.predictor
            return request_id, predictor, self._predict(predictor, request_id, images, cheap)

    def _predict(self, predictor, request_id, images, cheap):
        entries, records = [], []
        results = self._classify(predictor, images, cheap)
        for index, ((name, data), result) in enumerate(zip(images, results, strict=True)):
            if isinstance(result, RejectedImage):
                self.metrics.rejected.labels(result.reason).inc()
                entries.append({"file": name, "error": _describe_rejection(result)})
                continue
            entries.append({"file": name} | describe_prediction(predictor, result))
            records.append(
                record.build_prediction_record(
                    predictor, result, request_id, index, "production", data
                )
            )
        if not records:
            raise _create_problem(entries)
        self.write(records)
        for entry in records:
            self.metrics.predictions.labels(entry["label"], predictor.version, "production").inc()
            self.canary.submit(
                images[entry["index"]][1], request_id, entry["index"], entry["label"]
            )
        return entries

    def _classify(self, predictor, images, cheap):
        """Return a Prediction or RejectedImage for each image."""
        results = []
        for first in range(0, len(images), CHUNK):
            loaded = []
            for index in range(first, min(first + CHUNK, len(images))):
                is_too_much = cheap[: index + 1].count(False) > EXPENSIVE_FILES
                data = images[index][1]
                loaded.append(self._load(predictor, data, cheap[index], is_too_much))
            samples = [sample for sample in loaded if isinstance(sample, Sample)]
            predictions = iter(self._batcher.predict(predictor, samples) if samples else ())
            results += [next(predictions) if isinstance(s, Sample) else s for s in loaded]
        return results

    def _load(self, predictor, data, is_cheap, is_too_much):
        """Return a Sample or RejectedImage."""
        try:
            if is_cheap:
                with self._turn:
                    return predictor.load(data)
            if is_too_much:
                detail = f"{EXPENSIVE_FILES} large images came before it: send fewer at a time"
                raise RejectedImage("too much in one request", detail)
            return predictor.to_sample(*self._decode(data, predictor.card["size"]))
        except RejectedImage as error:
            return error

    def _decode(self, data, size):
        task = decode, data, size, DECODE_CPU_SECONDS
        try:
            *sample, rejection = self._decoder.run(*task, seconds=DECODE_SECONDS)
        except (WorkerCrash, WorkerError) as error:
            raise RejectedImage("unreadable", f"decoding was stopped: {error}") from error
        if rejection:
            raise RejectedImage(*rejection)
        return sample

    def write(self, records):
        """Append records to the log, or raise a `Problem` with status 503."""
        try:
            self._log(day_files.append_records, records)
        except OSError as error:
            raise Problem(
                503, "the log cannot be written, and no prediction is sent that is not logged"
            ) from error

    def check_log(self):
        """Return "ok" if the log can be written, else the fault."""
        try:
            self._log(day_files.check_writable, RECORD_BYTES if self._log_failed else 1)
        except OSError as error:
            return f"cannot be written ({error.strerror})"
        return "ok"

    def _log(self, function, argument):
        directory = self._settings.log_dir
        try:
            self.metrics.log_bytes.inc(function(directory, argument))
            self._log_failed = False
        except OSError as error:
            if not self._log_failed:
                _logger.error("the log in %s cannot be written: %s", directory, error)
            self._log_failed = True
            self.metrics.log_errors.inc()
            raise
        finally:
            self.metrics.ready.set(not self._log_failed)


def _is_cheap(data):
    try:
        return decoding.is_cheap(data)
    except RejectedImage:  # it is rejected again, and reported, where it is decoded
        return True


def _describe_rejection(error):
    status = 415 if error.reason == "not a JPEG, PNG or WEBP" else 422
    return {"status": status, "reason": error.reason, "detail": error.detail}


def _create_problem(entries):
    """Create the problem of a request without a readable image."""
    errors = [{"file": entry["file"]} | entry["error"] for entry in entries]
    status = 415 if all(error["status"] == 415 for error in errors) else 422
    if len(errors) > 1:
        return Problem(status, f"none of the {len(errors)} images can be read", errors=errors)
    members = {key: errors[0][key] for key in ("file", "reason")}
    detail = ": ".join(filter(None, (*members.values(), errors[0]["detail"])))
    return Problem(status, detail, **members)
