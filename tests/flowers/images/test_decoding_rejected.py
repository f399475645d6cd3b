import warnings

import pytest
from PIL import Image

from flowers.base.errors import RejectedImage
from flowers.images.decoding import decode_image, load_pixels
from flowers.images.prescan import MAX_PIXELS
from tests.flowers.images.photo_files import encode_image, make_picture, make_png, make_samples


def reason(data):
    with pytest.raises(RejectedImage) as caught:
        decode_image(data)
    return caught.value.reason


def test_a_huge_size_in_a_header_is_refused_without_a_warning():
    for side in (6_000, 10_000, 30_000):
        data = make_png(side, side, 8, 2, b"")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reason(data) == "too many pixels"


def test_a_huge_webp_canvas_is_refused():
    data = encode_image(Image.new("RGB", (5200, 5000)), "WEBP", method=0, quality=0)
    assert reason(data) == "too many pixels"


def test_the_ceiling_is_the_last_size_that_is_read():
    width = 5_000
    height = MAX_PIXELS // width
    assert decode_image(encode_image(Image.new("1", (width, height)), "PNG"))[0].size == (
        width,
        height,
    )
    assert reason(encode_image(Image.new("1", (width, height + 1)), "PNG")) == "too many pixels"


@pytest.mark.parametrize("size", [(1, 1), (1, 65_000), (65_000, 1)])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_thin_photos_are_read(size, format):
    pixels, *_ = load_pixels(encode_image(Image.new("RGB", size, "red"), format), size=8)
    assert pixels.shape == (8, 8, 3)


@pytest.mark.parametrize("name", make_samples())
def test_a_cut_photo_is_rejected_or_whole(name):
    data = make_samples()[name]
    whole = decode_image(data)[0]
    for tenth in range(1, 10):
        try:
            image, _ = decode_image(data[: len(data) * tenth // 10])
        except RejectedImage as error:
            assert error.reason == "truncated"
        else:
            assert image == whole


@pytest.mark.parametrize("name", make_samples())
def test_a_photo_without_its_second_half_is_rejected_as_truncated(name):
    data = make_samples()[name]
    assert reason(data[: len(data) // 2]) == "truncated"


def test_no_bytes_are_rejected_as_empty():
    assert reason(b"") == "empty"


@pytest.mark.parametrize("format", ["TIFF", "GIF", "BMP", "PPM"])
def test_other_picture_formats_are_rejected(format):
    assert reason(encode_image(make_picture(), format)) == "not a JPEG, PNG or WEBP"


def test_text_is_rejected():
    assert reason(b"<html>404 Not Found</html>") == "not a JPEG, PNG or WEBP"


@pytest.mark.parametrize("head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\0\0\0WEBP"])
def test_a_bare_beginning_is_rejected(head):
    assert reason(head) in ("truncated", "unreadable")


def test_a_picture_without_pixels_is_unreadable():
    assert reason(make_png(0, 5, 8, 2, b"")) == "unreadable"
