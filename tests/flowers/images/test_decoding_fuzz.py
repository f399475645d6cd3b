"""Whatever is done to a photo, reading it gives pixels or a rejection."""

import functools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from flowers.base.errors import RejectedImage
from flowers.images.decoding import NOTES, decode_image, load_pixels
from flowers.images.prescan import MAX_SCANS
from tests.flowers.images.photo_files import encode_image, make_picture, make_samples

REASONS = {"empty", "not a JPEG, PNG or WEBP", "too many pixels", "truncated", "unreadable"}
SIZE = 16


@functools.cache
def originals():
    return list(make_samples().values())


@st.composite
def mutated(draw):
    """A photo after some of the things that happen to files."""
    data = bytearray(draw(st.sampled_from(originals())))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 64)))
        change = draw(st.sampled_from(["overwrite", "insert", "delete", "double", "cut", "splice"]))
        if change == "overwrite":
            data[start:end] = draw(st.binary(min_size=end - start, max_size=end - start))
        elif change == "insert":
            data[start:start] = draw(st.binary(max_size=64))
        elif change == "delete":
            del data[start:end]
        elif change == "double":
            data[end:end] = data[start:end]
        elif change == "cut":
            del data[start:]
        else:
            data[start:] = draw(st.sampled_from(originals()))[start:]
    return bytes(data)


@settings(
    max_examples=1_500,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(mutated())
def test_a_mutated_photo_is_rejected_or_read_as_pixels(data):
    try:
        pixels, _, notes = load_pixels(data, SIZE)
    except RejectedImage as error:
        assert error.reason in REASONS
    else:
        assert (pixels.shape, pixels.dtype) == ((SIZE, SIZE, 3), np.uint8)
        assert set(notes) <= set(NOTES)


def progressive(scans):
    """A progressive JPEG whose last scan is repeated until there are so many."""
    data = encode_image(make_picture(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    more = scans - data.count(b"\xff\xda")
    return data[:-2] + more * last + data[-2:]


def test_a_jpeg_of_more_scans_than_are_read_is_unreadable():
    assert decode_image(progressive(MAX_SCANS))[0].size == (48, 32)
    with pytest.raises(RejectedImage) as caught:
        decode_image(progressive(MAX_SCANS + 1))
    assert caught.value.reason == "unreadable"


def test_what_follows_a_jpeg_does_not_count_as_scans():
    # Phones append a film to a photo, and two bytes of it may look like the start of a scan.
    data = encode_image(Image.new("RGB", (8, 8)), "JPEG")
    assert decode_image(data + b"\xff\xda" * 2 * MAX_SCANS)[0].size == (8, 8)
