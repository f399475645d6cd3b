"""Malformed and unusual files, as real image collections contain them."""

import io

import numpy as np
from PIL import Image

EXIF_ORIENTATION = 0x0112  # Exif 2.32, tag 274
TURN_CLOCKWISE = 6  # its value for "turn a quarter clockwise to view"
OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # first bytes of the container of Thumbs.db


def _encode(picture, kind="JPEG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **({"quality": 85} if kind == "JPEG" else {}) | options)
    return stream.getvalue()


def _truncate_jpeg(picture):
    content = _encode(picture)
    return content[: len(content) * 6 // 10]


def _write_text(_):
    return b"Pictures of the flower bed by the south wall. Sort these before spring!\n"


def _encode_sixteen_bit(picture):
    # 65535 = 255 * 257: white stays white
    grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    return _encode(Image.fromarray(grey), "PNG")


def _encode_exif_rotated(picture):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURN_CLOCKWISE
    stored = picture.transpose(Image.Transpose.ROTATE_90)  # anticlockwise; viewers undo it
    return _encode(stored, exif=exif)


# Functions from an RGB picture of the species to the content of the file.
MALFORMED_FILES = {
    "Lilly/extensionless": _encode,
    "Lilly/truncated.jpg": _truncate_jpeg,
    "Lotus/16bit.png": _encode_sixteen_bit,
    "Lotus/notes.jpg": _write_text,
    "Orchid/cmyk.jpg": lambda picture: _encode(picture.convert("CMYK")),
    "Orchid/empty.jpg": lambda _: b"",
    "Sunflower/palette-alpha.png": lambda picture: _encode(
        picture.quantize(64), "PNG", transparency=0
    ),
    "Tulip/exif-rotated.jpg": _encode_exif_rotated,
    "Tulip/Thumbs.db": lambda _: OLE_MAGIC + bytes(504),
}
