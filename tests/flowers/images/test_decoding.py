import struct

import numpy as np
import pytest
from PIL import Image

from flowers.images.decoding import FORMATS, check_format, decode_image, load_pixels, resize_square
from tests.flowers.images.photo_files import (
    encode_image,
    make_chunk,
    make_exif,
    make_picture,
    make_png,
)

WHITE = (255, 255, 255)


def assert_close(image, expected, tolerance):
    difference = np.abs(np.asarray(image, int) - np.asarray(expected, int))
    assert image.size == expected.size
    assert difference.max() <= tolerance


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_is_recognised_by_content(format):
    assert check_format(encode_image(make_picture(), format)) == format


@pytest.mark.parametrize(("format", "tolerance"), [("JPEG", 12), ("PNG", 0), ("WEBP", 12)])
def test_a_plain_photo_comes_out_as_it_is_and_without_notes(format, tolerance):
    image, notes = decode_image(encode_image(make_picture(), format, quality=95))
    assert image.mode == "RGB"
    assert notes == ()
    assert_close(image, make_picture(), tolerance)


@pytest.mark.parametrize(("format", "tolerance"), [("JPEG", 12), ("PNG", 0), ("WEBP", 12)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_picture(format, tolerance, orientation):
    stored = {
        1: make_picture(),
        2: make_picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: make_picture().transpose(Image.Transpose.ROTATE_180),
        4: make_picture().transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: make_picture().transpose(Image.Transpose.TRANSPOSE),
        6: make_picture().transpose(Image.Transpose.ROTATE_90),
        7: make_picture().transpose(Image.Transpose.TRANSVERSE),
        8: make_picture().transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    image, notes = decode_image(
        encode_image(stored, format, exif=make_exif(orientation), quality=95)
    )
    assert_close(image, make_picture(), tolerance)
    assert notes == (("exif-transposed",) if orientation > 1 else ())


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_both_byte_orders_of_exif_are_read(byte_order):
    mark = b"II" if byte_order == "<" else b"MM"
    block = mark + struct.pack(byte_order + "HIHHHIHH", 42, 8, 1, 0x0112, 3, 1, 3, 0)
    data = encode_image(make_picture(), "JPEG", exif=b"Exif\0\0" + block)
    assert decode_image(data)[1] == ("exif-transposed",)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "block", [b"", b"II", b"rubbish", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff\0\0"]
)
def test_a_broken_exif_block_does_not_cost_the_photo(format, block):
    image, notes = decode_image(encode_image(make_picture(), format, exif=b"Exif\0\0" + block))
    assert image.size == (48, 32)
    assert notes == ()


def test_a_broken_exif_block_does_not_cost_a_jpeg_without_a_jfif_block():
    block = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 0x011A, 5, 1, 10**6)
    data = encode_image(make_picture(), "JPEG", exif=block)
    assert data[2:4] == b"\xff\xe0"
    assert decode_image(data[:2] + data[20:])[0].size == (48, 32)


def test_orientation_9_is_as_good_as_none():
    assert decode_image(encode_image(make_picture(), "JPEG", exif=make_exif(9)))[1] == ()


def test_a_jpeg_holding_several_pictures_gives_the_first_with_its_own_orientation():
    first = encode_image(make_picture(), "JPEG")
    second = encode_image(make_picture(20, 20), "JPEG", exif=make_exif(6))
    image, notes = decode_image(first + second)
    assert (image.size, notes) == ((48, 32), ())
    pair = encode_image(make_picture(), "MPO", save_all=True, append_images=[make_picture(20, 20)])
    assert decode_image(pair)[0].size == (48, 32)


def test_8_bit_grey_becomes_three_equal_channels():
    grey = make_picture().convert("L")
    image, notes = decode_image(encode_image(grey, "PNG"))
    assert notes == ("grayscale",)
    np.testing.assert_array_equal(image, np.dstack([grey] * 3))


def test_1_bit_becomes_black_and_white():
    image, notes = decode_image(encode_image(make_picture().convert("1"), "PNG"))
    assert notes == ("grayscale",)
    assert set(np.unique(image)) == {0, 255}


def test_16_bit_grey_is_scaled_by_257():
    values = np.array([[0, 128, 129, 257, 32768, 65534, 65535]], np.uint16)
    image, notes = decode_image(encode_image(Image.fromarray(values), "PNG"))
    assert notes == ("grayscale", "16-bit")
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [0, 0, 1, 1, 128, 255, 255])


def test_the_transparent_value_of_16_bit_grey_becomes_white():
    rows = b"\0" + struct.pack(">3H", 300, 301, 0)
    image, notes = decode_image(
        make_png(3, 1, 16, 0, rows, make_chunk(b"tRNS", struct.pack(">H", 300)))
    )
    assert notes == ("grayscale", "16-bit", "alpha")
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [255, 1, 0])


def test_16_bit_colour_keeps_its_high_bytes():
    rows = b"\0" + struct.pack(">3H", 0x1234, 0x8000, 0xFFFF)
    assert decode_image(make_png(1, 1, 16, 2, rows))[0].getpixel((0, 0)) == (0x12, 0x80, 0xFF)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 0), (255, 255, 255), (20, 120, 220)])
def test_cmyk_keeps_its_colours(colour):
    cmyk = Image.new("RGB", (16, 16), colour).convert("CMYK")
    image, notes = decode_image(encode_image(cmyk, "JPEG", quality=95))
    assert notes == ("cmyk",)
    assert_close(image, Image.new("RGB", (16, 16), colour), 6)


def test_a_palette_gives_its_colours():
    palette = make_picture().quantize(8)
    image, notes = decode_image(encode_image(palette, "PNG"))
    assert notes == ("palette",)
    assert_close(image, palette.convert("RGB"), 0)


@pytest.mark.parametrize("alpha", [b"\0", b"\0\xff\x80"])
def test_a_transparent_palette_entry_becomes_white(alpha):
    palette = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    palette.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    image, notes = decode_image(encode_image(palette, "PNG", transparency=alpha))
    assert notes == ("palette", "alpha")
    assert image.getpixel((0, 0)) == WHITE
    assert image.getpixel((1, 0)) == (0, 200, 0)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_colour_with_alpha_is_laid_over_white(format):
    pixels = np.array([[[200, 0, 0, 0], [200, 0, 0, 255], [0, 0, 0, 51]]], np.uint8)
    image, notes = decode_image(encode_image(Image.fromarray(pixels), format, lossless=True))
    assert notes == ("alpha",)
    np.testing.assert_array_equal(image, [[[255] * 3, [200, 0, 0], [204] * 3]])


def test_grey_with_alpha_is_laid_over_white():
    image, notes = decode_image(encode_image(Image.new("LA", (2, 2), (0, 51)), "PNG"))
    assert notes == ("grayscale", "alpha")
    assert image.getpixel((0, 0)) == (204, 204, 204)


def test_the_transparent_colour_of_an_rgb_png_becomes_white():
    image, notes = decode_image(
        encode_image(Image.new("RGB", (2, 2), (9, 8, 7)), "PNG", transparency=(9, 8, 7))
    )
    assert notes == ("alpha",)
    assert image.getpixel((0, 0)) == WHITE


def test_an_opaque_alpha_channel_is_not_noted():
    assert decode_image(encode_image(make_picture().convert("RGBA"), "PNG")) == (make_picture(), ())


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_of_an_animation_the_first_frame_is_taken(format, options):
    later = [Image.new("RGB", (48, 32), "red"), Image.new("RGB", (48, 32), "blue")]
    data = encode_image(make_picture(), format, save_all=True, append_images=later, **options)
    image, notes = decode_image(data)
    assert notes == ("animated",)
    assert_close(image, make_picture(), 0)


def test_square_does_not_keep_the_aspect_ratio():
    pixels = resize_square(make_picture(40, 10), 16)
    assert (pixels.shape, pixels.dtype) == ((16, 16, 3), np.uint8)
    assert pixels[:, 0, 0].max() < 20 and pixels[:, -1, 0].min() > 230


def test_square_of_its_own_size_changes_nothing():
    np.testing.assert_array_equal(resize_square(make_picture(32, 32), 32), make_picture(32, 32))


def test_read_is_decode_and_square():
    data = encode_image(make_picture().convert("L"), "PNG")
    pixels, _, notes = load_pixels(data, 24)
    np.testing.assert_array_equal(pixels, resize_square(decode_image(data)[0], 24))
    assert notes == ("grayscale",)


def test_read_gives_pixels_that_can_be_written():
    assert load_pixels(encode_image(make_picture(), "PNG"))[0].flags.writeable
