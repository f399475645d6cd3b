"""Requests that wait are classified in one call, each with the bits that it has alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flowers.model.folder import load_predictor
from scoring.server.batcher import MAX_ROWS, Batcher
from tests.scoring.server.service import wait_until


class HeldPredictor:
    """A predictor that waits for the test before each call, and fails on the sample `bad`."""

    def __init__(self, predict, bad=None):
        self._predict = predict
        self.bad = bad
        self.calls = []
        self.permits = threading.Semaphore(0)

    def predict(self, samples):
        self.calls.append(len(samples))
        assert self.permits.acquire(timeout=60)
        if self.bad in samples:
            raise SystemExit("no prediction")
        return self._predict(samples)


def double(samples):
    return [2 * sample for sample in samples]


def run_batches(pool, first, *others):
    """Start requests of (predictor, samples); the first occupies the thread of the batcher."""
    batcher = Batcher()
    futures = [pool.submit(batcher.predict, *first)]
    wait_until(lambda: first[0].calls)
    for number, request in enumerate(others, 1):
        futures.append(pool.submit(batcher.predict, *request))
        wait_until(lambda n=number: batcher._queue.qsize() >= n)
    for predictor, _ in (first, *others):
        predictor.permits.release(10)
    return futures


def test_requests_that_wait_share_a_call_and_keep_the_bits(candidate, photos):
    predictor = load_predictor(candidate)
    samples = [predictor.load(photo) for photo in list(photos.values())[:9]]
    requests = [samples[:1], samples[1:2], samples[2:6], samples[6:]]
    held = HeldPredictor(predictor.predict)
    with ThreadPoolExecutor() as pool:
        futures = run_batches(pool, *[(held, request) for request in requests])
        predictions = [p for future in futures for p in future.result(60)]
    assert held.calls == [1, 8]
    for sample, prediction in zip(samples, predictions, strict=True):
        (alone,) = predictor.predict([sample])
        assert prediction.label == alone.label
        np.testing.assert_array_equal(prediction.probabilities, alone.probabilities)


def test_a_call_has_at_most_max_rows_and_the_order_is_kept():
    held = HeldPredictor(double)
    requests = [list(range(size)) for size in (1, MAX_ROWS - 1, 1, 1, MAX_ROWS, 2)]
    with ThreadPoolExecutor() as pool:
        futures = run_batches(pool, *[(held, request) for request in requests])
        assert [future.result(60) for future in futures] == [double(r) for r in requests]
    assert held.calls == [1, MAX_ROWS, 1, MAX_ROWS, 2]


def test_only_the_request_on_which_the_model_raises_fails():
    held = HeldPredictor(double, bad=3)
    with ThreadPoolExecutor() as pool:
        futures = run_batches(pool, *[(held, [sample]) for sample in (1, 2, 3, 4)])
        with pytest.raises(SystemExit):
            futures[2].result(60)
        assert [futures[i].result(60) for i in (0, 1, 3)] == [[2], [4], [8]]


def test_during_a_reload_each_request_is_classified_by_its_own_model():
    old = HeldPredictor(double)
    new = HeldPredictor(lambda samples: [-sample for sample in samples])
    with ThreadPoolExecutor() as pool:
        futures = run_batches(pool, (old, [1]), (old, [2]), (new, [3]))
        assert [future.result(60) for future in futures] == [[2], [4], [-3]]
