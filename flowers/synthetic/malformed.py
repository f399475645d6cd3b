"""Malformed and unusual files, as real image collections contain them."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

EXIF_ORIENTATION = 0x0112  # Exif 2.32, tag 274
TURN_CLOCKWISE = 6  # its value for "turn a quarter clockwise to view"
OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # first bytes of the container of Thumbs.db


def _encode(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _encode_jpeg(picture):
    return _encode(picture, "JPEG", quality=85)


def _truncate_jpeg(picture):
    whole = _encode_jpeg(picture)
    return whole[: len(whole) * 6 // 10]


def _write_text(picture):
    return b"Pictures of the flower bed by the south wall. Sort these before spring!\n"


def _write_nothing(picture):
    return b""


def _encode_sixteen_bit(picture):
    # 65535 = 255 * 257: white stays white
    return _encode(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")


def _encode_cmyk(picture):
    return _encode(picture.convert("CMYK"), "JPEG", quality=85)


def _encode_palette_alpha(picture):
    return _encode(picture.quantize(64), "PNG", transparency=0)


def _encode_exif_rotated(picture):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURN_CLOCKWISE
    stored = picture.transpose(Image.Transpose.ROTATE_90)  # anticlockwise; viewers undo it
    return _encode(stored, "JPEG", quality=85, exif=exif)


def _write_thumbs_db(picture):
    return OLE_MAGIC + bytes(504)


# name: function from an RGB picture of that species to the content of the file
MALFORMED_FILES: dict[str, Callable[[Image.Image], bytes]] = {
    "Lilly/extensionless": _encode_jpeg,
    "Lilly/truncated.jpg": _truncate_jpeg,
    "Lotus/16bit.png": _encode_sixteen_bit,
    "Lotus/notes.jpg": _write_text,
    "Orchid/cmyk.jpg": _encode_cmyk,
    "Orchid/empty.jpg": _write_nothing,
    "Sunflower/palette-alpha.png": _encode_palette_alpha,
    "Tulip/exif-rotated.jpg": _encode_exif_rotated,
    "Tulip/Thumbs.db": _write_thumbs_db,
}
READABLE_FILES = (
    "Lilly/extensionless",
    "Lotus/16bit.png",
    "Orchid/cmyk.jpg",
    "Sunflower/palette-alpha.png",
    "Tulip/exif-rotated.jpg",
)
