"""Every mode, orientation and animation becomes an upright RGB image, with conversions."""

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

TOLERANCES = {"JPEG": 12, "PNG": 0, "WEBP": 12}
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def assert_close(image, expected, tolerance):
    difference = np.abs(np.asarray(image, int) - np.asarray(expected, int))
    assert image.size == expected.size
    assert difference.max() <= tolerance


def decode_saved(image, file_format="PNG", **options):
    """Encode and decode an image; return its pixels and conversions."""
    decoded, conversions = decode_image(encode_image(image, file_format, **options))
    return np.asarray(decoded), conversions


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_plain_image_is_decoded_unchanged(file_format):
    data = encode_image(make_picture(), file_format, quality=95)
    image, conversions = decode_image(data)
    assert (check_format(data), image.mode, conversions) == (file_format, "RGB", ())
    assert_close(image, make_picture(), TOLERANCES[file_format])


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("orientation", STORED)
def test_every_exif_orientation_gives_the_same_upright_image(file_format, orientation):
    stored = make_picture().transpose(STORED[orientation])
    data = encode_image(stored, file_format, exif=make_exif(orientation), quality=95)
    image, conversions = decode_image(data)
    assert_close(image, make_picture(), TOLERANCES[file_format])
    assert conversions == ("exif-transposed",)
    assert load_pixels(data, 8)[1] == (48, 32)


@pytest.mark.parametrize(("mark", "order"), [(b"II", "<"), (b"MM", ">")])
@pytest.mark.parametrize(("orientation", "names"), [(3, ("exif-transposed",)), (1, ()), (9, ())])
def test_both_byte_orders_of_exif_are_read(mark, order, orientation, names):
    block = mark + struct.pack(order + "HIHHHIHH", 42, 8, 1, 0x0112, 3, 1, orientation, 0)
    data = encode_image(make_picture(), "JPEG", exif=b"Exif\0\0" + block)
    assert decode_image(data)[1] == names


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"rubbish",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff\0\0",
        b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x011A, 5, 1, 10**6),
    ],
)
def test_a_broken_exif_block_is_ignored(file_format, block):
    data = encode_image(make_picture(), file_format, exif=b"Exif\0\0" + block)
    assert decode_image(data)[0].size == (48, 32)
    if file_format == "JPEG":  # without the JFIF segment Pillow looks for the resolution in EXIF
        assert decode_image(data[:2] + data[20:])[1] == ()


def test_a_jpeg_with_several_pictures_gives_the_first_with_its_own_orientation():
    first = encode_image(make_picture(), "JPEG")
    second = encode_image(make_picture(20, 20), "JPEG", exif=make_exif(6))
    pair = encode_image(make_picture(), "MPO", save_all=True, append_images=[make_picture(20, 20)])
    for data in (first + second, pair):
        image, conversions = decode_image(data)
        assert (image.size, conversions) == ((48, 32), ())


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_becomes_three_equal_channels(mode):
    grey = make_picture().convert(mode)
    pixels, conversions = decode_saved(grey)
    assert conversions == ("grayscale",)
    np.testing.assert_array_equal(pixels, np.dstack([grey.convert("L")] * 3))


def test_16_bit_grey_is_scaled_by_257():
    values = np.array([[0, 128, 129, 257, 32768, 65534, 65535]], np.uint16)
    pixels, conversions = decode_saved(Image.fromarray(values))
    assert conversions == ("grayscale", "16-bit")
    np.testing.assert_array_equal(pixels[0, :, 0], [0, 0, 1, 1, 128, 255, 255])


def test_the_transparent_value_of_16_bit_grey_becomes_white():
    rows = b"\0" + struct.pack(">3H", 300, 301, 0)
    transparent = make_chunk(b"tRNS", struct.pack(">H", 300))
    image, conversions = decode_image(make_png(3, 1, 16, 0, rows, transparent))
    assert conversions == ("grayscale", "16-bit", "alpha")
    np.testing.assert_array_equal(np.asarray(image)[0, :, 0], [255, 1, 0])


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 0), (255, 255, 255), (20, 120, 220)])
def test_cmyk_keeps_its_colours(colour):
    plain = Image.new("RGB", (16, 16), colour)
    image, conversions = decode_image(encode_image(plain.convert("CMYK"), "JPEG", quality=95))
    assert conversions == ("cmyk",)
    assert_close(image, plain, 6)


@pytest.mark.parametrize("alpha", [b"\0", b"\0\xff\x80"])
def test_a_transparent_palette_entry_becomes_white(alpha):
    palette = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    palette.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    pixels, conversions = decode_saved(palette)
    assert conversions == ("palette",) and pixels[0, 0].tolist() == [200, 0, 0]
    pixels, conversions = decode_saved(palette, transparency=alpha)
    assert conversions == ("palette", "alpha")
    assert pixels[0, :2].tolist() == [[255] * 3, [0, 200, 0]]


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_colour_with_alpha_is_blended_with_white(file_format):
    colours = np.array([[[200, 0, 0, 0], [200, 0, 0, 255], [0, 0, 0, 51]]], np.uint8)
    pixels, conversions = decode_saved(Image.fromarray(colours), file_format, lossless=True)
    assert conversions == ("alpha",)
    np.testing.assert_array_equal(pixels, [[[255] * 3, [200, 0, 0], [204] * 3]])


def test_transparent_and_opaque_pixels_of_other_modes():
    pixels, conversions = decode_saved(Image.new("LA", (2, 2), (0, 51)))
    assert conversions == ("grayscale", "alpha") and (pixels == 204).all()
    pixels, conversions = decode_saved(Image.new("RGB", (2, 2), (9, 8, 7)), transparency=(9, 8, 7))
    assert conversions == ("alpha",) and (pixels == 255).all()
    pixels, conversions = decode_saved(make_picture().convert("RGBA"))
    assert conversions == () and (pixels == np.asarray(make_picture())).all()


def test_an_image_of_several_bands_is_converted_like_a_whole_one():
    values = np.random.default_rng(0).integers(0, 256, (1_500, 1_000, 4), dtype=np.uint8)
    image = Image.fromarray(values)
    white = Image.new("RGBA", image.size, "white")
    pixels, conversions = decode_saved(image, compress_level=1)
    assert conversions == ("alpha",)
    np.testing.assert_array_equal(pixels, Image.alpha_composite(white, image).convert("RGB"))


@pytest.mark.parametrize(("file_format", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_only_the_first_frame_of_an_animation_is_decoded(file_format, options):
    later = [Image.new("RGB", (48, 32), "red"), Image.new("RGB", (48, 32), "blue")]
    pixels, conversions = decode_saved(
        make_picture(), file_format, save_all=True, append_images=later, **options
    )
    assert conversions == ("animated",)
    np.testing.assert_array_equal(pixels, make_picture())


def test_resizing_to_a_square_does_not_keep_the_aspect_ratio():
    pixels = resize_square(make_picture(40, 10), 16)
    assert (pixels.shape, pixels.dtype) == ((16, 16, 3), np.uint8)
    assert pixels[:, 0, 0].max() < 20 and pixels[:, -1, 0].min() > 230
    np.testing.assert_array_equal(resize_square(make_picture(32, 32), 32), make_picture(32, 32))
