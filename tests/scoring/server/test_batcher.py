"""Requests that wait are classified in one call, each as if it were alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flowers.model.folder import load_predictor
from scoring.server.batcher import MAX_ROWS, Batcher
from tests.scoring.server.service import until


class Held:
    """A predictor that waits for the test before each call, and may fail on one sample."""

    def __init__(self, predict):
        self._predict, self.calls, self.go, self.bad = predict, [], threading.Semaphore(0), None

    def predict(self, samples):
        self.calls.append(len(samples))
        assert self.go.acquire(timeout=60)
        if self.bad in samples:
            raise SystemExit("the model gives up")
        return self._predict(samples)


def start(pool, batcher, predictor, requests):
    """Futures of requests: the first occupies the thread, and the others wait in their order."""
    futures = [pool.submit(batcher.predict, predictor, requests[0])]
    until(lambda: predictor.calls)
    for number, request in enumerate(requests[1:], 1):
        futures.append(pool.submit(batcher.predict, predictor, request))
        until(lambda n=number: batcher._queue.qsize() >= n)
    return futures


def double(samples):
    return [2 * sample for sample in samples]


def test_requests_that_wait_share_a_call_and_keep_the_bits(candidate, photos):
    predictor = load_predictor(candidate)
    samples = [predictor.load(photo) for photo in list(photos.values())[:9]]
    requests = [samples[:1], samples[1:2], samples[2:6], samples[6:]]
    held = Held(predictor.predict)
    with ThreadPoolExecutor() as pool:
        futures = start(pool, Batcher(), held, requests)
        held.go.release(2)
        results = [future.result(60) for future in futures]
    assert held.calls == [1, 8]
    for request, predictions in zip(requests, results, strict=True):
        for sample, prediction in zip(request, predictions, strict=True):
            (alone,) = predictor.predict([sample])
            assert prediction.label == alone.label
            np.testing.assert_array_equal(prediction.probabilities, alone.probabilities)


def test_a_call_has_as_many_rows_as_keep_the_bits_and_the_order_is_kept():
    held = Held(double)
    sizes = [1, MAX_ROWS - 1, 1, 1, MAX_ROWS, 2]
    requests = [list(range(size)) for size in sizes]
    with ThreadPoolExecutor() as pool:
        futures = start(pool, Batcher(), held, requests)
        held.go.release(10)
        assert [future.result(60) for future in futures] == [double(r) for r in requests]
    assert held.calls == [1, MAX_ROWS, 1, MAX_ROWS, 2]


def test_only_the_request_at_which_the_model_fails_fails():
    held = Held(double)
    held.bad = 3
    with ThreadPoolExecutor() as pool:
        futures = start(pool, Batcher(), held, [[1], [2], [3], [4]])
        held.go.release(10)
        with pytest.raises(SystemExit):
            futures[2].result(60)
        assert [futures[i].result(60) for i in (0, 1, 3)] == [[2], [4], [8]]


def test_beside_a_reload_each_request_is_classified_by_its_own_model():
    old, new = Held(double), Held(lambda samples: [-s for s in samples])
    batcher = Batcher()
    with ThreadPoolExecutor() as pool:
        first, second = start(pool, batcher, old, [[1], [2]])
        third = pool.submit(batcher.predict, new, [3])
        until(lambda: batcher._queue.qsize() == 2)
        old.go.release(2)
        new.go.release()
        assert [f.result(60) for f in (first, second, third)] == [[2], [4], [-3]]


def test_many_threads_get_their_own_results():
    batcher = Batcher()

    class Plain:
        predict = staticmethod(double)

    plain = Plain()
    with ThreadPoolExecutor(16) as pool:
        results = pool.map(lambda n: batcher.predict(plain, [n]), range(2000))
    assert list(results) == [[2 * n] for n in range(2000)]
