"""Photos in memory, made by Pillow or by hand, for the tests of images."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def picture(width=48, height=32):
    """A smooth picture without symmetry, so that every orientation differs."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255 * columns / width, 255 * rows / height
    pixels = np.dstack([red, green, 255 - (red + green) / 2]).astype(np.uint8)
    return Image.fromarray(pixels)


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, depth, colour, rows, *extra):
    """Make a PNG by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [
        chunk(b"IHDR", header),
        *extra,
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def samples():
    return {
        "JPEG": encoded(picture(), "JPEG"),
        "JPEG progressive": encoded(picture(), "JPEG", progressive=True),
        "JPEG with EXIF": encoded(picture(), "JPEG", exif=exif(6)),
        "PNG": encoded(picture(), "PNG"),
        "PNG palette": encoded(picture().quantize(8), "PNG"),
        "WEBP": encoded(picture(), "WEBP"),
        "WEBP lossless": encoded(picture(), "WEBP", lossless=True, exif=exif(6)),
    }
