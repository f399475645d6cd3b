"""Photos of many requests that the model answers in one call."""

import io
import threading

import numpy as np
import pytest

from flowers.base.errors import RejectedImage
from flowers.model.folder import load_predictor
from scoring.server.answering import STACK, Answering
from scoring.server.readers import Readers
from tests.scoring.server.service import until
from tests.scoring.server.threads import started


class Held:
    """A model that waits for the test before it looks at rows, and may refuse one of them."""

    def __init__(self, model):
        self._model, self.calls, self.go = model, [], threading.Semaphore(0)
        self.refused = None

    def __getattr__(self, name):
        return getattr(self._model, name)

    def alone(self, photo):
        return self._model.answer(photo)

    def judged(self, photos):
        self.calls.append(len(photos))
        assert self.go.acquire(timeout=60)
        if any(photo.image == self.refused for photo in photos):
            raise SystemExit("the model gives up")
        return self._model.judged(photos)


@pytest.fixture
def model(candidate):
    return Held(load_predictor(candidate))


def ask(answering, *photos):
    return [answer for *_, answer in answering.answers([("a", io.BytesIO(p)) for p in photos])]


def asked(model, requests):
    """Futures of requests of which the first is looked at alone, and the others together."""
    answering = Answering(model, 2, Readers(1))
    futures = [started(ask, answering, *requests[0])]
    until(lambda: model.calls)
    for number, photos in enumerate(requests[1:], 1):
        futures.append(started(ask, answering, *photos))
        until(lambda number=number: len(answering._judge._waiting) == number)
    return futures


def test_requests_that_wait_share_a_call_and_get_the_answers_they_get_alone(model, photos):
    some = list(photos.values())
    requests = [some[:1], some[1:2], [some[2], b"no photo", some[3]], some[4:5]]
    futures = asked(model, requests)
    model.go.release(2)
    told = [future.result(60) for future in futures]
    assert model.calls == [1, 4]
    assert isinstance(told[2][1], RejectedImage)
    for request, answers in zip(requests, told, strict=True):
        for photo, answer in zip(request, answers, strict=True):
            if not isinstance(answer, RejectedImage):
                alone = model.alone(photo)
                assert (answer.label, answer.image) == (alone.label, alone.image)
                np.testing.assert_allclose(
                    answer.probabilities, alone.probabilities, rtol=0, atol=1e-9
                )
                assert answer.latency_ms > 0


def test_a_photo_at_which_the_model_fails_is_the_fault_of_its_own_request(model, photos):
    some = list(photos.values())
    model.refused = model.prepared(some[2]).image
    futures = asked(model, [some[:1], some[1:2], some[2:3], some[3:4]])
    model.go.release(100)
    with pytest.raises(SystemExit):
        futures[2].result(60)
    for k in (0, 1, 3):
        (answer,) = futures[k].result(60)
        alone = model.alone(some[k])
        np.testing.assert_array_equal(answer.probabilities, alone.probabilities)
    assert model.calls == [1, 3, 1, 1, 1]


def test_many_photos_of_a_request_are_answered_some_at_a_time(model, photos):
    some = list(photos.values())[: STACK + 3]
    model.go.release(100)
    assert len(ask(Answering(model, 2, Readers(1)), *some)) == STACK + 3
    assert model.calls == [STACK, 3]
