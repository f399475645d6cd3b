"""Decode image files: the same rules in training, in the local script and in the scorer."""

import re
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from flowers.base.errors import RejectedImage

FORMATS = ("JPEG", "PNG", "WEBP")
CONVERSIONS = ("exif-transposed", "animated", "palette", "grayscale", "16-bit", "cmyk", "alpha")
# Peak memory at the limits, measured with Pillow 13: JPEG 0.2 GB (progressive 0.4 GB, without
# chroma subsampling 0.75 GB), PNG 0.4 GB, WEBP 0.5 GB. Phones write up to 12032×9024 pixels.
MAX_PIXELS = {"JPEG": 110_000_000, "PNG": 50_000_000, "WEBP": 25_000_000}
MAX_SIDE = 65_535  # the longest side that a JPEG file can state
MAX_SCANNED_PIXELS = 2_000_000_000  # pixels times scans of a progressive JPEG, about 2 s
MAX_PROFILES = 100  # colour profiles of a PNG: Pillow unpacks each one, 2 ms for each kilobyte
# Larger JPEG images are decoded at half their width and height. Measured on 60 photos of 48 MP:
# 0.2 s instead of 0.5 s, a quarter of the memory, pixels within 0.05 levels, the same labels.
DRAFT_PIXELS = 25_000_000
CHEAP_BYTES = 250_000
CHEAP_COST = 8_000_000
BAND_PIXELS = 1_000_000  # converted to RGB at a time, without temporary copies of a large image

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF.{4}WEBP",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II\*\0|MM\0\*",
    "BMP": rb"BM.{4}\0{4}",
    "JPEG 2000": rb"\0{3}\x0cjP  |\xff\x4f\xff\x51",
    "AVIF": rb".{4}ftypavi[fs]",
    "HEIC": rb".{4}ftyp(hei|hev|mif1|msf1)",
}
_MODE_CONVERSIONS = {
    **dict.fromkeys(("1", "L", "LA"), ("grayscale",)),
    **dict.fromkeys(("P", "PA"), ("palette",)),
    **dict.fromkeys(("I", "I;16", "I;16B"), ("grayscale", "16-bit")),
    "CMYK": ("cmyk",),
}
_TURN = Image.Transpose
_TRANSPOSE = {2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM}
_TRANSPOSE |= {5: _TURN.TRANSPOSE, 6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90}


@dataclass(frozen=True)
class ImageHeader:
    """Properties known before decoding.

    Attributes
    ----------
    format, mode : str
        One of `FORMATS`; Pillow's mode.
    width, height, scans : int
        In pixels, as stored; 1 scan except for a progressive JPEG.
    """

    format: str
    width: int
    height: int
    mode: str
    scans: int = 1

    @property
    def cost(self):
        """Pixels times scans, to which the decoding time is proportional."""
        return self.width * self.height * self.scans


def check_format(data):
    """Return which of `FORMATS` a file has by its first 16 bytes.

    Raises
    ------
    RejectedImage
        With the reason "empty" or "not a JPEG, PNG or WEBP", the latter with the format if known.
    """
    if not data:
        raise RejectedImage("empty")
    name = next((n for n, magic in _SIGNATURES.items() if re.match(magic, data, re.DOTALL)), "")
    if name not in FORMATS:
        article = "an" if name == "AVIF" else "a"
        raise RejectedImage("not a JPEG, PNG or WEBP", name and f"it is {article} {name}")
    return name


def read_header(data):
    """Read the `ImageHeader` without decoding pixels; raises `RejectedImage` as `decode_image`."""
    with _open_image(data) as (_, header):
        return header


def is_cheap(data):
    """Whether a file is small, with few pixels and scans; raises `RejectedImage` if unreadable."""
    check_format(data)
    return len(data) <= CHEAP_BYTES and read_header(data).cost <= CHEAP_COST


def decode_image(data):
    """Decode an image file to an upright RGB image.

    Transparent pixels are blended with white, 16-bit grey is scaled by 1/257, and only the first
    frame of an animation is decoded. Colour profiles are ignored, CMYK is read as Adobe writes it
    (inverted). A JPEG above `DRAFT_PIXELS` is decoded at half its width and height.

    Parameters
    ----------
    data : bytes
        A whole JPEG, PNG or WEBP file.

    Returns
    -------
    image : PIL.Image.Image
        Mode RGB.
    conversions : tuple of str
        The conversions that were made: a subset of `CONVERSIONS`, in the same order.

    Raises
    ------
    RejectedImage
        See `read_header`.
    """
    image, _, conversions = _decode(data)
    return image, conversions


def resize_square(image, size=128):
    """Resize an RGB image to uint8 pixels of shape (size, size, 3), bicubic, without its aspect."""
    return np.array(image.resize((size, size), Image.Resampling.BICUBIC))


def load_pixels(data, size=128):
    """Decode an image file and resize it: `decode_image`, then `resize_square`.

    Returns
    -------
    pixels : ndarray of shape (size, size, 3), uint8
    original_size : tuple of int
        Width and height of the upright image in pixels, as stored and not as decoded.
    conversions : tuple of str
        See `decode_image`, also for the `RejectedImage` that is raised.
    """
    image, original_size, conversions = _decode(data)
    return resize_square(image, size), original_size, conversions


def _decode(data):
    with _open_image(data) as (image, header):
        size = (header.width, header.height)
        conversions = set(_MODE_CONVERSIONS.get(header.mode, ()))
        # A JPEG with further pictures (MPO: a preview, a depth map) is no animation.
        if header.format != "JPEG" and getattr(image, "is_animated", False):
            conversions.add("animated")
        if header.format == "JPEG" and size[0] * size[1] > DRAFT_PIXELS:
            image.draft(None, (size[0] // 2, size[1] // 2))
        image.load()
        orientation = None
        with suppress(Exception):  # broken EXIF data; the pixels are complete
            orientation = image.getexif().get(ExifTags.Base.Orientation)
        # The name is bound again so that the stored image is freed before the copy is rotated.
        image, transparent = _convert_to_rgb(image)
    if transparent:
        conversions.add("alpha")
    if orientation in _TRANSPOSE:
        image = image.transpose(_TRANSPOSE[orientation])
        conversions.add("exif-transposed")
        size = size[::-1] if orientation >= 5 else size
    return image, size, tuple(name for name in CONVERSIONS if name in conversions)


@contextmanager
def _open_image(data):
    """Open an image file lazily; every error inside the block becomes a `RejectedImage`."""
    name = check_format(data)
    # Pillow warns about odd metadata, and about sizes that are checked below. The filter is set on
    # each call because a later filter of the process, such as pytest's "error", precedes it.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        if name == "PNG" and data.count(b"iCCP") > MAX_PROFILES:
            raise RejectedImage("unreadable", f"more than {MAX_PROFILES} colour profiles")
        with Image.open(BytesIO(data), formats=[name]) as image:
            # Only of progressive files: a video behind a baseline JPEG has such bytes by chance.
            scans = data.count(b"\xff\xda") if "progression" in image.info else 1
            header = ImageHeader(name, *image.size, image.mode, max(1, scans))
            _check_size(header)
            yield image, header
    except RejectedImage:
        raise
    except Image.DecompressionBombError as error:
        raise RejectedImage("too many pixels", str(error)) from error
    except Exception as error:  # Pillow documents no list of what malformed files raise
        reason = "truncated" if _is_truncated(data, name) else "unreadable"
        # Pillow's own message states the address of the buffer, which differs in every run.
        unidentified = isinstance(error, UnidentifiedImageError)
        detail = "damaged header" if unidentified else f"{type(error).__name__}: {error}"[:200]
        raise RejectedImage(reason, detail) from error


def _check_size(header):
    limit = MAX_PIXELS[header.format]
    size = f"{header.width}×{header.height}"
    if header.width * header.height > limit or max(header.width, header.height) > MAX_SIDE:
        limits = f"at most {limit} pixels of a {header.format}, {MAX_SIDE} a side"
        raise RejectedImage("too many pixels", f"{size}; {limits}")
    if header.scans > 1 and header.cost > MAX_SCANNED_PIXELS:
        raise RejectedImage("unreadable", f"{header.scans} scans of {size} are too many")


def _convert_to_rgb(image):
    """Convert a decoded image to RGB; also return whether any of its pixels is transparent."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image, False
    rgb = Image.new("RGB", image.size)
    transparent = False
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        band, band_transparent = _convert_band(band)
        transparent |= band_transparent
        rgb.paste(band, (0, top))
    return rgb, transparent


def _convert_band(image):
    if image.mode.startswith("I"):
        transparent_value = image.info.get("transparency")
        samples = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((samples + 128) // 257).astype(np.uint8))
        if transparent_value is not None:
            opacity = np.where(samples == transparent_value, 0, 255).astype(np.uint8)
            image.putalpha(Image.fromarray(opacity))
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB"), image.getextrema()[3][0] < 255


def _is_truncated(data, name):
    if name == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    # Only the end is searched: a preview inside the file has an end marker of its own.
    return {"JPEG": b"\xff\xd9", "PNG": b"IEND"}[name] not in data[-4096:]
