"""Files that a photo set picks up over the years and that a reader has to cope with."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

EXIF_ORIENTATION = 0x0112  # Exif 2.32, tag 274
TURN_CLOCKWISE = 6  # its value for "turn a quarter clockwise to view"
OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # first bytes of the container of Thumbs.db


def _saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _jpeg(picture):
    return _saved(picture, "JPEG", quality=85)


def _truncated(picture):
    whole = _jpeg(picture)
    return whole[: len(whole) * 6 // 10]


def _text(picture):
    return b"Pictures of the flower bed by the south wall. Sort these before spring!\n"


def _empty(picture):
    return b""


def _sixteen_bit(picture):
    # 65535 = 255 * 257, so that white stays white
    return _saved(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257), "PNG")


def _cmyk(picture):
    return _saved(picture.convert("CMYK"), "JPEG", quality=85)


def _palette_alpha(picture):
    return _saved(picture.quantize(64), "PNG", transparency=0)


def _exif_rotated(picture):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURN_CLOCKWISE
    stored = picture.transpose(Image.Transpose.ROTATE_90)  # anticlockwise: undone by viewers
    return _saved(stored, "JPEG", quality=85, exif=exif)


def _thumbs_db(picture):
    return OLE_MAGIC + bytes(504)


# name: function from an RGB picture of that species to the content of the file
MALFORMED_FILES: dict[str, Callable[[Image.Image], bytes]] = {
    "Lilly/extensionless": _jpeg,
    "Lilly/truncated.jpg": _truncated,
    "Lotus/16bit.png": _sixteen_bit,
    "Lotus/notes.jpg": _text,
    "Orchid/cmyk.jpg": _cmyk,
    "Orchid/empty.jpg": _empty,
    "Sunflower/palette-alpha.png": _palette_alpha,
    "Tulip/exif-rotated.jpg": _exif_rotated,
    "Tulip/Thumbs.db": _thumbs_db,
}
READABLE_FILES = (
    "Lilly/extensionless",
    "Lotus/16bit.png",
    "Orchid/cmyk.jpg",
    "Sunflower/palette-alpha.png",
    "Tulip/exif-rotated.jpg",
)
