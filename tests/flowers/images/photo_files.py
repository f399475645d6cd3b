"""Photos in memory, made by Pillow or by hand, for the tests of images."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def make_picture(width=48, height=32):
    """A smooth picture without symmetry, so that every orientation differs."""
    rows, columns = np.mgrid[0:height, 0:width]
    red = 255 * columns / width
    green = 255 * rows / height
    pixels = np.dstack([red, green, 255 - (red + green) / 2]).astype(np.uint8)
    return Image.fromarray(pixels)


def encode_image(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def make_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def make_png(width, height, depth, colour, rows, *extra):
    """Make a PNG by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [
        make_chunk(b"IHDR", header),
        *extra,
        make_chunk(b"IDAT", zlib.compress(rows)),
        make_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make_exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def make_samples():
    return {
        "JPEG": encode_image(make_picture(), "JPEG"),
        "JPEG progressive": encode_image(make_picture(), "JPEG", progressive=True),
        "JPEG with EXIF": encode_image(make_picture(), "JPEG", exif=make_exif(6)),
        "PNG": encode_image(make_picture(), "PNG"),
        "PNG palette": encode_image(make_picture().quantize(8), "PNG"),
        "WEBP": encode_image(make_picture(), "WEBP"),
        "WEBP lossless": encode_image(make_picture(), "WEBP", lossless=True, exif=make_exif(6)),
    }
