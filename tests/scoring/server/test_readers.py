"""Heavy photos are read by another process, as if it were this one, and harm nobody."""

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flowers.base.errors import RejectedImage
from flowers.images.decoding import decode_image, resize_square
from scoring.server import readers as module
from scoring.server.budget import MAX_REQUEST_SECONDS, Budget
from scoring.server.readers import LIGHT_BYTES, LIGHT_WORK, MAX_BYTES, NICE, Readers, light
from tests.flowers.images.photo_files import encode_image, make_picture, make_png, make_samples
from tests.scoring.server.service import running, until
from tests.scoring.server.threads import started

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc")


@pytest.fixture(scope="module")
def readers():
    return Readers(1)


def children(process):
    found = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def process_of(readers):
    readers.read(make_samples()["JPEG"], 32, Budget())
    (reader,) = readers._free.queue
    return reader._process.pid


@pytest.mark.parametrize("name", make_samples())
def test_its_pixels_are_those_of_this_process(readers, name):
    photo = make_samples()[name]
    image, _ = decode_image(photo)
    pixels, size, seconds = readers.read(photo, 32, Budget())
    assert size == image.size and seconds > 0
    np.testing.assert_array_equal(pixels, resize_square(image, 32))


def test_what_cannot_be_read_is_refused_in_the_same_words(readers):
    whole = make_samples()["PNG"]
    for photo in (b"no photo", whole[:-30], whole[:40], make_png(30_000, 30_000, 1, 0, bytes(9))):
        with pytest.raises(RejectedImage) as here:
            decode_image(photo)
        with pytest.raises(RejectedImage) as there:
            readers.read(photo, 32, Budget())
        assert (there.value.reason, there.value.detail) == (here.value.reason, here.value.detail)
    assert "pixels" not in make_samples()  # and the next photo is read
    readers.read(whole, 32, Budget())


def test_reading_is_paid_from_the_budget_also_when_it_fails(readers):
    # A megabyte of pixels is unpacked before the end is missed.
    photo = encode_image(Image.effect_noise((1000, 1000), 50), "PNG")[:-9_000]
    budget = Budget()
    pixels = budget.pixels
    with pytest.raises(RejectedImage):
        readers.read(photo, 32, budget)
    assert budget.pixels == pixels - 1_000_000
    assert budget.seconds < MAX_REQUEST_SECONDS


def test_beyond_the_budget_nothing_is_read(readers):
    photo = encode_image(Image.effect_noise((1000, 1000), 50), "PNG")
    for spent in ({"pixels": 1_000_000 - 1}, {"seconds": -1}):
        budget = Budget()
        vars(budget).update(spent)
        pixels = budget.pixels
        with pytest.raises(RejectedImage, match="too much in one request"):
            readers.read(photo, 32, budget)
        # Without seconds it is not even looked at.
        assert budget.pixels == (pixels if "seconds" in spent else -1)


def test_what_is_light_is_told_from_its_bytes_and_its_header():
    assert light(make_samples()["JPEG"]).width == 48
    side = int(LIGHT_WORK**0.5)
    for more, expected in ((0, False), (1, True)):
        photo = encode_image(Image.new("L", (side + more, side + more)), "PNG")
        assert (light(photo) is None) == expected
    assert light(make_samples()["JPEG"] + bytes(LIGHT_BYTES)) is None
    with pytest.raises(RejectedImage, match="not a JPEG"):
        light(bytes(2 * LIGHT_BYTES))


@on_linux
def test_it_works_with_lower_priority_and_within_limits(readers):
    process = process_of(readers)
    assert os.getpriority(os.PRIO_PROCESS, process) == min(
        19, os.getpriority(os.PRIO_PROCESS, 0) + NICE
    )
    if not hasattr(resource, "prlimit"):
        pytest.skip("no prlimit on this system")
    assert resource.prlimit(process, resource.RLIMIT_DATA)[0] == MAX_BYTES
    assert 0 < resource.prlimit(process, resource.RLIMIT_CPU)[0] < 3600


def test_a_reader_that_dies_costs_one_photo(readers):
    os.kill(process_of(readers), signal.SIGSTOP)  # it has the next photo, and does nothing
    (reader,) = readers._free.queue
    budget = Budget()
    future = started(readers.read, make_samples()["JPEG"], 32, budget)
    until(lambda: readers._free.empty())
    os.kill(reader._process.pid, signal.SIGKILL)
    with pytest.raises(RejectedImage, match="ended a process"):
        future.result(60)
    assert budget.seconds <= MAX_REQUEST_SECONDS - module.MAX_SECONDS
    assert readers.read(make_samples()["JPEG"], 32, Budget())[1] == (48, 32)


def test_an_answer_that_was_not_waited_for_is_not_given_to_the_next(readers, monkeypatch):
    process_of(readers)
    (reader,) = readers._free.queue

    def interrupted(*arguments):
        raise SystemExit("between question and answer")

    monkeypatch.setattr(reader._connection, "recv_bytes", interrupted)
    with pytest.raises(SystemExit):
        readers.read(encode_image(make_picture(20, 10), "PNG"), 32, Budget())
    assert readers.read(make_samples()["JPEG"], 32, Budget())[1] == (48, 32)


@on_linux
@pytest.mark.slow
def test_a_scorer_that_is_killed_leaves_no_reader_behind(place, photo):
    large = encode_image(Image.new("L", (3000, 3000)), "PNG")
    with running(place) as service:
        alone = service.predict(("a.jpg", photo)).json["probabilities"]
        first, second = service.predict(("a.png", large), ("b.jpg", photo)).json["predictions"]
        assert "label" in first and second["probabilities"] == alone
        worker = service.worker
        (reader,) = children(worker)
        os.kill(worker, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{reader}").exists())
        until(lambda: service.worker != worker)
        service.predict(("a.png", large))
        (reader,) = children(service.worker)
    until(lambda: not Path(f"/proc/{reader}").exists())
