"""What one request may cost, and who waits for whom."""

import io
import threading
from dataclasses import replace

import pytest
from PIL import Image

from scoring.server import budget as module
from scoring.server.problems import Problem
from scoring.server.readers import LIGHT_WORK
from scoring.server.scorer import Scorer
from scoring.server.settings import Settings
from tests.flowers.images.photo_files import encode_image, make_picture


@pytest.fixture
def scorer(candidate, tmp_path):
    return Scorer(
        replace(Settings(), model_dir=candidate, log_dir=tmp_path, canary_dir=tmp_path / "none")
    )


def ask(scorer, *photos):
    return scorer.predict("id", [(str(n), io.BytesIO(photo)) for n, photo in enumerate(photos)])


def test_photos_beyond_the_pixels_of_one_request_are_set_aside(scorer, photo, monkeypatch):
    monkeypatch.setattr(module, "MAX_REQUEST_PIXELS", 2 * 48 * 32)
    small = encode_image(make_picture(48, 32), "PNG")
    first, second, third = ask(scorer, small, small, small)
    assert "label" in first and "label" in second
    assert (third["error"]["status"], third["error"]["reason"]) == (422, "too much in one request")
    # The next request begins anew.
    assert "label" in ask(scorer, small)[0]


def test_photos_beyond_the_seconds_of_one_request_are_set_aside(scorer, photo, monkeypatch):
    monkeypatch.setattr(module, "MAX_REQUEST_SECONDS", 1e-9)
    first, second = ask(scorer, photo, photo)
    assert "label" in first
    assert second["error"]["reason"] == "too much in one request"


def test_a_small_photo_does_not_wait_for_large_ones(scorer, photo):
    side = int(LIGHT_WORK**0.5) + 1
    large, answers = encode_image(Image.new("L", (side, side)), "PNG"), []
    thread = threading.Thread(target=lambda: answers.append(ask(scorer, large)))
    free = scorer._answering._readers._free
    lanes = [free.get() for _ in range(free.qsize())]
    thread.start()
    assert "label" in ask(scorer, photo)[0]
    assert not answers
    for lane in lanes:
        free.put(lane)
    thread.join()
    assert "label" in answers[0][0]


def test_a_place_is_given_back_whatever_happens(scorer):
    places = scorer._most
    for _ in range(places + 1):
        with pytest.raises(ZeroDivisionError), scorer.place():
            raise ZeroDivisionError
    assert scorer.admits("/predict")
    held = [scorer.place() for _ in range(places)]
    for place in held:
        place.__enter__()
    assert scorer.admits("/health") and not scorer.admits("/predict")
    with pytest.raises(Problem) as refused, scorer.place():
        pass
    assert refused.value.status == 429
    for place in held:
        place.__exit__(None, None, None)
