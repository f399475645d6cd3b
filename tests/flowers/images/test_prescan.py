"""Reading a photo costs what its size promises, and what cameras write is read."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.attack_photos import MAX_MB, MAX_SECONDS, costs
from benchmarks.hostile_photos import make_segment
from flowers.base.errors import RejectedImage
from flowers.images.decoding import decode_image, detect_format
from flowers.images.prescan import MAX_PIECES, MAX_PIXELS, MAX_SCANNED_PIXELS, prescan
from tests.flowers.images.photo_files import encode_image, make_chunk, make_exif, make_picture


@pytest.mark.slow
def test_no_photo_costs_more_than_a_second_of_the_processor_or_300_mb():
    found = costs()
    assert len(found) > 40
    assert max(cost["bytes"] for cost in found.values()) < 20_000_000
    # A processor that is shared with others takes longer for the same.
    assert {name for name, cost in found.items() if cost["seconds"] > 2 * MAX_SECONDS} == set()
    assert {name for name, cost in found.items() if cost["mb"] > MAX_MB} == set()


@pytest.mark.parametrize("pieces", [1, MAX_PIECES["JPEG"] + 1])
def test_pieces_of_a_jpeg_are_counted_before_and_after_its_scan(pieces):
    data, comments = encode_image(make_picture(), "JPEG"), make_segment(0xFE) * pieces
    for odd in (data[:2] + comments + data[2:], data[:-2] + comments + data[-2:]):
        if pieces == 1:
            assert decode_image(odd) == decode_image(data)
        else:
            with pytest.raises(RejectedImage, match="pieces"):
                decode_image(odd)


def test_pieces_of_a_png_are_counted_before_and_after_its_pixels():
    data, many = (
        encode_image(make_picture(), "PNG"),
        make_chunk(b"abCd", b"") * (MAX_PIECES["PNG"] + 1),
    )
    for odd in (data[:33] + many + data[33:], data[:-12] + many + data[-12:]):
        with pytest.raises(RejectedImage, match="pieces"):
            decode_image(odd)


def test_scans_are_weighed_by_pixels_and_cannot_be_hidden():
    small = encode_image(make_picture().convert("L"), "JPEG", progressive=True)
    large = encode_image(Image.new("L", (5_000, 5_000)), "JPEG", progressive=True)
    for data, name in ((small, "small"), (large, "large")):
        last = data[data.rindex(b"\xff\xda") : -2]
        for between in (b"", make_segment(0xFE, b"\xff\xd9"), b"\xff\x01\xff\xd0"):
            odd = data[:-2] + (between + last) * 20 + data[-2:]
            if name == "small":
                assert decode_image(odd)[0].size == make_picture().size
            else:
                with pytest.raises(RejectedImage, match="scans"):
                    decode_image(odd)
    assert MAX_SCANNED_PIXELS >= 12 * 24_000_000


def test_a_side_longer_than_a_jpeg_may_have_is_refused_in_any_format():
    for size in ((65_536, 1), (1, 65_536)):
        with pytest.raises(RejectedImage, match="too many pixels"):
            decode_image(encode_image(Image.new("L", size), "PNG"))


def test_the_work_is_known_before_a_photo_is_read():
    assert prescan(encode_image(make_picture(), "PNG"), "PNG").work == 48 * 32
    assert prescan(encode_image(make_picture(), "JPEG"), "JPEG").work == 48 * 32
    progressive = encode_image(make_picture(), "JPEG", progressive=True)
    scans = progressive.count(b"\xff\xda")
    assert prescan(progressive, "JPEG").work == 48 * 32 * scans > 5 * 48 * 32
    for options in ({}, {"lossless": True}, {"exif": make_exif(6)}):
        assert prescan(encode_image(make_picture(), "WEBP", **options), "WEBP").work == 48 * 32


@pytest.mark.parametrize("progressive", [False, True])
def test_a_camera_s_24_mp_with_all_its_blocks_is_read(progressive):
    data = encode_image(
        Image.fromarray(np.tile(np.asarray(make_picture(60, 40)), (100, 100, 1))),
        "JPEG",
        quality=95,
        progressive=progressive,
        exif=make_exif(6),
        icc_profile=np.random.default_rng(0).bytes(1_000_000),
    )
    xmp = make_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000)) * 100
    video = np.random.default_rng(1).bytes(3_000_000)
    image, notes = decode_image(data[:2] + xmp + data[2:] + video)
    assert (image.size, notes) == ((4_000, 6_000), ("exif-transposed",))
    assert 24_000_000 <= MAX_PIXELS


def test_what_makes_no_pixels_changes_none():
    plain = encode_image(make_picture(), "JPEG", quality=90)
    extra = [make_segment(0xE0 + n, b"rubbish" * n) for n in range(16)] + [
        make_segment(0xFE, b"words")
    ]
    assert decode_image(plain[:20] + b"".join(extra) + b"junk\xff\0\xff\xff" + plain[20:]) == (
        decode_image(plain)
    )
    plain = encode_image(make_picture(), "PNG")
    text = (
        make_chunk(b"zTXt", b"a\0\0rubbish")
        + make_chunk(b"iCCP", b"rubbish")
        + make_chunk(b"abcd", b"")
    )
    assert decode_image(plain[:33] + text + plain[33:-12] + text + plain[-12:]) == decode_image(
        plain
    )


def test_bands_of_rows_give_the_picture_of_the_whole():
    pixels = np.random.default_rng(0).integers(0, 256, (1_500, 1_000, 4), dtype=np.uint8)
    image = Image.fromarray(pixels)
    white = Image.new("RGBA", image.size, "white")
    expected = Image.alpha_composite(white, image).convert("RGB")
    assert decode_image(encode_image(image, "PNG", compress_level=1)) == (expected, ("alpha",))


@pytest.mark.parametrize("table", [b"\xff\xc9", b"\xff\xc3", b"\xff\xcb"])
def test_codings_of_jpeg_that_no_camera_writes_are_refused(table):
    data = encode_image(make_picture(), "JPEG").replace(b"\xff\xc0", table, 1)
    with pytest.raises(RejectedImage, match="unreadable"):
        decode_image(data)


@pytest.mark.parametrize("size", range(2, 40))
def test_a_beginning_of_any_length_is_rejected_and_no_error(size):
    for format in ("JPEG", "PNG", "WEBP"):
        data = encode_image(make_picture(), format)[:size]
        if detect_format(data):
            with pytest.raises(RejectedImage):
                decode_image(data)
