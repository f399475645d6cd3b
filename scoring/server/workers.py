"""Tasks of the worker processes: expensive images, the canary, the check of a new model."""

import functools
import multiprocessing
import time

from flowers.base.errors import BadInput, RejectedImage
from flowers.images.decoding import load_pixels
from flowers.model.folder import check_golden_predictions, load_predictor

# Imported once, before worker processes are forked: it takes seconds.
multiprocessing.set_forkserver_preload(
    [__name__, *(f"flowers.learning.{name}" for name in ("naive_bayes", "other", "sdca", "svm"))]
)


def decode_image(data, size):
    """Decode an image: pixels and dimensions as `load_pixels`, and seconds, or a RejectedImage."""
    start = time.perf_counter()
    try:
        pixels, dimensions, _ = load_pixels(data, size)
    except RejectedImage as error:
        return error
    except MemoryError:
        return RejectedImage("too many pixels", "decoding takes more memory than an image may")
    return pixels, dimensions, time.perf_counter() - start


_load_model = functools.cache(load_predictor)  # a worker keeps its model


def find_fault(folder, sha256=None):
    """Load a model and compare its golden predictions; return why it cannot be served, or None."""
    try:
        check_golden_predictions(_load_model(folder, sha256), folder)
    except BadInput as error:
        return str(error)


def predict_canary(folder, data):
    """Classify an image by the canary."""
    predictor = _load_model(folder, None)
    return predictor.predict([predictor.load(data)])[0]
