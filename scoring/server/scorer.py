"""The served model, and everything between an image and its logged prediction."""

import logging
import threading
import uuid
from contextlib import ExitStack, contextmanager

from flowers.base.errors import BadInput, RejectedImage
from flowers.images import decoding
from flowers.log import day_files, record
from flowers.model.folder import find_model_folder, load_predictor
from flowers.model.predictor import Sample
from scoring.responses import describe_prediction, describe_rejection
from scoring.server.batcher import Batcher
from scoring.server.canary import Canary
from scoring.server.metrics import Metrics
from scoring.server.problems import Problem
from scoring.server.settings import EXPENSIVE_PLACES, MODELS, PROCESSORS
from scoring.server.workers import decode_image, find_fault
from scoring.worker import Worker, WorkerError

# Limits of an expensive image: seconds, seconds of a processor, bytes.
DECODE_SECONDS = 10
DECODE_CPU_SECONDS = 6
DECODE_MEMORY = 1_500_000_000
# Larger bodies take the places of expensive images before their form is read.
EXPENSIVE_BODY = 2_000_000
# Limits of trying a model: seconds and bytes.
CHECK_SECONDS = 120
CHECK_MEMORY = 16_000_000_000
# A restart forgets them, and readers of the log take the first prediction of an id.
REMEMBERED_IDS = 100_000
_logger = logging.getLogger(__name__)


def load_checked(settings):
    """Load the model of the settings after another process has loaded and checked it.

    Raises BadInput if it cannot be served.
    """
    folder = find_model_folder(MODELS, settings.model_dir)
    worker = Worker(CHECK_MEMORY)
    try:
        # A model file may hang, or end the process that loads it.
        fault = worker.run(find_fault, folder, settings.model_sha256, seconds=CHECK_SECONDS)
    except WorkerError as error:
        fault = f"{folder} cannot be loaded ({error}): promote another model, or roll back"
    finally:
        worker.stop()
    if fault:
        raise BadInput(fault)
    return load_predictor(folder, settings.model_sha256)


class Scorer:
    """A served model with everything that its predictions go through."""

    def __init__(self, settings):
        self._settings = settings
        self.started = record.format_now()
        self.metrics = Metrics()
        if (state := self.check_log()) != "ok":
            raise BadInput(f"LOG_DIR={settings.log_dir} {state}: set it to a folder to write to")
        self._serve(load_checked(settings))
        self._used_ids = {}
        self._lock = threading.Lock()
        self._cheap = threading.BoundedSemaphore(settings.places)
        self._expensive = threading.BoundedSemaphore(EXPENSIVE_PLACES)
        # More images at a time than processors make each response slower and none sooner.
        self._turn = threading.Semaphore(max(2, PROCESSORS))
        self._batcher = Batcher()
        self._decoder = Worker(DECODE_MEMORY, DECODE_CPU_SECONDS)

    def _serve(self, predictor):
        self.predictor = predictor
        self.loaded_at = record.format_now()
        self.metrics.model.clear()
        self.metrics.model.labels("production", predictor.version, predictor.md5).set(1)
        settings = self._settings
        self.canary = Canary(settings.canary_dir, settings.canary_ratio, self.write, self.metrics)

    def reload(self):
        """Load the model again and serve it from now on; keep the present one if that fails."""
        try:
            predictor = load_checked(self._settings)
        except BadInput as error:
            _logger.error("Not reloaded: %s", " ".join(str(error).split()))
            return
        self.canary.stop()
        self._serve(predictor)
        _logger.info("Reloaded: model %s", predictor.version)

    def stop(self):
        """End the worker processes."""
        self._decoder.stop()
        self.canary.stop()

    @contextmanager
    def _take_place(self, places):
        if not places.acquire(blocking=False):
            raise Problem(429, "too many requests wait already: try again in a moment")
        try:
            with self.metrics.in_progress.track_inprogress():
                yield
        finally:
            places.release()

    @contextmanager
    def _reserve_id(self, request_id):
        """Yield the id, or one that begins with it if it is used; free it again on an exception."""
        with self._lock:
            if request_id in self._used_ids:
                request_id = f"{request_id[:27]}-{uuid.uuid4()}"
            self._used_ids[request_id] = None
            if len(self._used_ids) > REMEMBERED_IDS:
                del self._used_ids[next(iter(self._used_ids))]  # the oldest
        try:
            yield request_id
        except BaseException:
            self._used_ids.pop(request_id, None)
            raise

    def predict(self, request_id, body_bytes, read_images):
        """Classify the readable images of a request and log the predictions.

        `read_images` returns a list of (name, bytes). Returns the id, another one if it is used
        already, the predictor, and a dict per image with its prediction or ``error``.
        """
        with ExitStack() as stack:
            # Before the form is read: a refusal costs little.
            places = self._expensive if body_bytes > EXPENSIVE_BODY else self._cheap
            stack.enter_context(self._take_place(places))
            images = [(name, data, _is_cheap(data)) for name, data in read_images()]
            if places is self._cheap and not all(is_cheap for *_, is_cheap in images):
                stack.close()  # the place of cheap images is free before the decode process is
                stack.enter_context(self._take_place(self._expensive))
            request_id = stack.enter_context(self._reserve_id(request_id))
            predictor = self.predictor
            return request_id, predictor, self._predict(predictor, request_id, images)

    def _predict(self, predictor, request_id, images):
        entries = []
        records = []
        results = self._classify(predictor, images)
        for index, ((name, data, _), result) in enumerate(zip(images, results, strict=True)):
            if isinstance(result, RejectedImage):
                self.metrics.rejected.labels(result.reason).inc()
                entries.append({"file": name, "error": describe_rejection(result)})
                continue
            entries.append({"file": name} | describe_prediction(predictor, result))
            fields = request_id, index, "production", data
            records.append(record.build_prediction_record(predictor, result, *fields))
        if not records:
            raise _create_problem(entries)
        self.write(records)
        for entry in records:
            self.metrics.predictions.labels(entry["label"], predictor.version, "production").inc()
            data = images[entry["index"]][1]
            self.canary.submit(data, request_id, entry["index"], entry["label"])
        return entries

    def _classify(self, predictor, images):
        """Return a Prediction or RejectedImage for each image."""
        loaded = [self._load(predictor, data, is_cheap) for _, data, is_cheap in images]
        samples = [sample for sample in loaded if isinstance(sample, Sample)]
        predictions = iter(self._batcher.predict(predictor, samples) if samples else ())
        return [next(predictions) if isinstance(s, Sample) else s for s in loaded]

    def _load(self, predictor, data, is_cheap):
        """Return a Sample or RejectedImage."""
        try:
            if is_cheap:
                with self._turn:
                    return predictor.load(data)
            task = decode_image, data, predictor.card["size"]
            result = self._decoder.run(*task, seconds=DECODE_SECONDS)
        except RejectedImage as error:
            return error
        except WorkerError as error:
            return RejectedImage("unreadable", f"decoding was stopped: {error}")
        return result if isinstance(result, RejectedImage) else predictor.to_sample(*result)

    def write(self, records):
        """Append records to the log, or raise a `Problem` with status 503."""
        directory = self._settings.log_dir
        try:
            day_files.append_records(directory, records)
        except OSError as error:
            self.metrics.log_errors.inc()
            _logger.error("the log in %s cannot be written: %s", directory, error)
            message = "the log cannot be written, and no prediction is sent that is not logged"
            raise Problem(503, message) from error

    def check_log(self):
        """Return "ok" if the log can be written, else the fault."""
        try:
            day_files.check_writable(self._settings.log_dir)
        except OSError as error:
            return f"cannot be written ({error.strerror})"
        return "ok"


def _is_cheap(data):
    try:
        return decoding.is_cheap(data)
    except RejectedImage:  # it is rejected again, and reported, where it is decoded
        return True


def _create_problem(entries):
    """Create the problem of a request without a readable image."""
    errors = [{"file": entry["file"]} | entry["error"] for entry in entries]
    status = 415 if all(error["status"] == 415 for error in errors) else 422
    if len(errors) > 1:
        return Problem(status, f"none of the {len(errors)} images can be read", errors=errors)
    members = {key: errors[0][key] for key in ("file", "reason")}
    detail = ": ".join(filter(None, (*members.values(), errors[0]["detail"])))
    return Problem(status, detail, **members)
