"""Malformed, hostile and unsupported files are rejected with a reason; real ones are accepted."""

import struct
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.attack_photos import MAX_MB, MAX_SECONDS, measure_costs
from benchmarks.hostile_photos import make_segment
from flowers.base.errors import RejectedImage
from flowers.images import decoding
from flowers.images.decoding import decode_image, is_cheap, load_pixels, read_header
from tests.flowers.images.photo_files import (
    encode_image,
    make_chunk,
    make_exif,
    make_picture,
    make_png,
    make_samples,
)

REASONS = {"empty", "not a JPEG, PNG or WEBP", "too many pixels", "truncated", "unreadable"}
ORIGINALS = list(make_samples().values())
SIZE = 16


def get_reason(data):
    with pytest.raises(RejectedImage) as caught:
        decode_image(data)
    return caught.value.reason


def assert_same_pixels(data, expected):
    np.testing.assert_array_equal(decode_image(data)[0], decode_image(expected)[0])


def repeat_last_scan(image, times):
    data = encode_image(image, "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * times + data[-2:]


@pytest.mark.parametrize("name", make_samples())
def test_a_cut_file_is_rejected_as_truncated_or_decoded_whole(name):
    data = make_samples()[name]
    whole = decode_image(data)[0]
    assert get_reason(data[: len(data) // 2]) == "truncated"
    for length in [*range(2, 40), *range(40, len(data), len(data) // 10)]:
        try:
            image, _ = decode_image(data[:length])
        except RejectedImage as error:
            assert error.reason in ("truncated", "not a JPEG, PNG or WEBP", "unreadable")
        else:
            assert image == whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode_image(make_picture(), "GIF"), "it is a GIF"),
        (encode_image(make_picture(), "BMP"), "it is a BMP"),
        (encode_image(make_picture(), "TIFF"), "it is a TIFF"),
        (encode_image(make_picture(), "AVIF"), "it is an AVIF"),
        (encode_image(make_picture(), "JPEG2000"), "it is a JPEG 2000"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "it is a HEIC"),
        (b"<html>404 Not Found</html>", None),
    ],
)
def test_another_format_is_rejected_by_its_name(data, message):
    expected = "not a JPEG, PNG or WEBP" + (f": {message}" if message else "")
    for function in (decode_image, read_header, is_cheap):
        with pytest.raises(RejectedImage) as caught:
            function(data)
        assert str(caught.value) == expected


def test_an_empty_file_and_an_image_without_pixels_have_reasons_of_their_own():
    assert get_reason(b"") == "empty"
    assert get_reason(make_png(0, 5, 8, 2, b"")) == "unreadable"
    for signature in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\0\0\0WEBP"):
        assert get_reason(signature) in ("truncated", "unreadable")


@pytest.mark.parametrize("name", make_samples())
def test_a_header_states_format_size_mode_and_scans(name):
    data = make_samples()[name]
    header = read_header(data)
    assert (header.format, header.width, header.height) == (name.split()[0], 48, 32)
    assert header.scans == (data.count(b"\xff\xda") if "progressive" in name else 1)
    assert header.cost == 48 * 32 * header.scans


def test_a_small_file_with_few_pixels_and_scans_is_cheap():
    data = make_samples()["JPEG"]
    assert is_cheap(data)
    assert not is_cheap(data + bytes(decoding.CHEAP_BYTES))
    assert not is_cheap(encode_image(Image.new("L", (3_000, 3_000)), "PNG"))
    assert is_cheap(repeat_last_scan(make_picture(), 5_000)[: decoding.CHEAP_BYTES])
    assert not is_cheap(repeat_last_scan(make_picture(400, 400), 60))


def test_a_size_in_a_header_is_refused_before_pixels_are_decoded():
    for side in (8_000, 10_000, 30_000):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert get_reason(make_png(side, side, 8, 2, b"")) == "too many pixels"
    for size in ((65_536, 1), (1, 65_536)):
        assert get_reason(encode_image(Image.new("L", size), "PNG")) == "too many pixels"
    webp = encode_image(Image.new("RGB", (5_200, 5_000)), "WEBP", method=0, quality=0)
    assert get_reason(webp) == "too many pixels"


@pytest.mark.parametrize("progressive", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_jpeg_of_24_mp_with_metadata_and_a_video_is_decoded_in_full(progressive):
    picture = make_picture(600, 400).resize((6_000, 4_000))
    metadata = {"exif": make_exif(6), "icc_profile": np.random.default_rng(0).bytes(1_000_000)}
    data = encode_image(picture, "JPEG", quality=95, progressive=progressive, **metadata)
    xmp = make_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000)) * 100
    video = np.random.default_rng(1).bytes(0 if progressive else 3_000_000)
    image, conversions = decode_image(data[:2] + xmp + data[2:] + video)
    assert (image.size, conversions) == ((4_000, 6_000), ("exif-transposed",))


def test_a_jpeg_above_25_mp_is_decoded_at_half_its_size():
    picture = make_picture(100, 80).resize((6_000, 4_800))
    data = encode_image(picture, "JPEG", quality=90, exif=make_exif(6))
    assert decoding.DRAFT_PIXELS < 6_000 * 4_800 < decoding.MAX_PIXELS["JPEG"]
    assert decode_image(data)[0].size == (2_400, 3_000)
    pixels, original_size, conversions = load_pixels(data, SIZE)
    assert (original_size, conversions) == ((4_800, 6_000), ("exif-transposed",))
    expected = picture.transpose(Image.Transpose.ROTATE_270).resize((SIZE, SIZE))
    assert np.abs(pixels.astype(int) - np.asarray(expected)).max() <= 2


def test_the_scans_of_a_progressive_jpeg_are_limited_by_their_pixels(monkeypatch):
    data = repeat_last_scan(make_picture(), 100)
    assert decode_image(data)[0].size == (48, 32)
    monkeypatch.setattr(decoding, "MAX_SCANNED_PIXELS", 48 * 32 * 100)
    assert get_reason(data) == "unreadable"


def test_the_colour_profiles_of_a_png_are_limited():
    data = encode_image(make_picture(), "PNG")
    profile = make_chunk(b"iCCP", b"profile\0\0rubbish")
    assert_same_pixels(data[:33] + profile + data[33:], data)
    assert get_reason(data[:33] + profile * 101 + data[33:]) == "unreadable"


def test_warnings_of_pillow_are_silent(recwarn):
    block = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 9, 0x0112, 3, 1, 6)
    data = encode_image(make_picture(), "JPEG", exif=block)
    palette = make_picture().quantize(8)
    for odd in (data, encode_image(palette, "PNG", transparency=b"\0\x80")):
        decode_image(odd)
    assert not recwarn.list


CHANGES = st.tuples(
    st.sampled_from(["overwrite", "insert", "delete", "double", "cut", "splice"]),
    st.floats(0, 1),
    st.binary(max_size=64),
)


def change_bytes(data, change, position, extra):
    """Damage a file as transfers and disks do, at a position between its start (0) and end (1)."""
    start = int(position * len(data))
    end = start + len(extra)
    head, part, tail = data[:start], data[start:end], data[end:]
    return {
        "overwrite": head + extra + tail,
        "insert": head + extra + part + tail,
        "delete": head + tail,
        "double": head + part + part + tail,
        "cut": head,
        "splice": head + ORIGINALS[len(extra) % len(ORIGINALS)][start:],
    }[change]


@settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(ORIGINALS), st.lists(CHANGES, min_size=1, max_size=4))
def test_a_damaged_file_is_rejected_or_decoded(data, changes):
    for change in changes:
        data = change_bytes(data, *change)
    try:
        pixels, _, conversions = load_pixels(data, SIZE)
    except RejectedImage as error:
        assert error.reason in REASONS
    else:
        assert (pixels.shape, pixels.dtype) == ((SIZE, SIZE, 3), np.uint8)
        assert set(conversions) <= set(decoding.CONVERSIONS)


@pytest.mark.slow
def test_no_hostile_file_costs_more_than_the_documented_time_and_memory():
    costs = measure_costs()
    assert len(costs) > 40
    assert max(cost["bytes"] for cost in costs.values()) < 20_000_000
    # A processor that is shared with other programs takes longer for the same work.
    assert {name for name, cost in costs.items() if cost["seconds"] > 2 * MAX_SECONDS} == set()
    assert {name for name, cost in costs.items() if cost["mb"] > MAX_MB} == set()
