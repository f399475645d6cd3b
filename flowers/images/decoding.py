"""From the bytes of a photo to pixels: the same rules in training and in scoring."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from flowers.base.errors import RejectedImage
from flowers.images.prescan import EXIF, check_size, prescan

FORMATS = ("JPEG", "PNG", "WEBP")
# Pixels that are brought to RGB at a time, so that no second and third copy of a large photo is
# in memory.
BAND_PIXELS = 1_000_000
NOTES = ("exif-transposed", "animated", "palette", "grayscale", "16-bit", "cmyk", "alpha")

# The readers are called directly: Image.open warns, process-wide, about large pictures before
# their size can be looked at, and reads a JPEG with several pictures as another format.
_READERS = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION_TAG, _SHORT = 0x0112, 3


def detect_format(data):
    """Tell the format of a photo from its first bytes.

    Parameters
    ----------
    data : bytes
        The whole file or its beginning; 12 bytes are enough.

    Returns
    -------
    str or None
        One of `FORMATS`, or None for anything else.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def scan(data):
    """Tell the format of a photo and what it will cost to read, without reading it.

    Parameters
    ----------
    data : bytes
        A whole JPEG, PNG or WEBP file.

    Returns
    -------
    format : str
        One of `FORMATS`.
    scanned : flowers.images.prescan.Prescan

    Raises
    ------
    RejectedImage
        With the reason "empty", "not a JPEG, PNG or WEBP", "too many pixels", "truncated" or
        "unreadable".
    """
    if not data:
        raise RejectedImage("empty")
    if (found := detect_format(data)) is None:
        raise RejectedImage("not a JPEG, PNG or WEBP", f"it begins with {data[:8].hex(' ')}")
    try:
        return found, prescan(data, found)
    except (IndexError, struct.error) as error:
        raise RejectedImage("truncated", f"{type(error).__name__}: {error}") from error


def decode_image(data):
    """Turn the bytes of a photo into an upright RGB image.

    Transparent pixels are laid over white, 16-bit grey is scaled by 1/257, and of an animation
    the first frame is taken. Colour profiles are ignored: pixel values are used as stored.
    CMYK is read as Adobe writes it (inverted), whether or not the file says so.

    Parameters
    ----------
    data : bytes
        A whole JPEG, PNG or WEBP file.

    Returns
    -------
    image : PIL.Image.Image
        Mode RGB, at most ``flowers.images.prescan.MAX_PIXELS`` pixels.
    notes : tuple of str
        What was special, out of `NOTES` and in its order.

    Raises
    ------
    RejectedImage
        With the reason "empty", "not a JPEG, PNG or WEBP", "too many pixels", "truncated" or
        "unreadable".
    """
    found, scanned = scan(data)
    try:
        return _decode(scanned, found)
    except RejectedImage:
        raise
    except Image.DecompressionBombError as error:
        raise RejectedImage("too many pixels", str(error)) from error
    # Hostile bytes make the readers raise nearly anything, and there is no list of it.
    except Exception as error:
        reason = "truncated" if _is_cut_short(data, found) else "unreadable"
        raise RejectedImage(reason, f"{type(error).__name__}: {error}"[:200]) from error


def resize_square(image, size=128):
    """Resize to a square by bicubic interpolation; the aspect ratio is not kept.

    Parameters
    ----------
    image : PIL.Image.Image
        Mode RGB.
    size : int
        Side of the square, in pixels.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
    """
    return np.array(image.resize((size, size), Image.Resampling.BICUBIC))


def load_pixels(data, size=128):
    """Turn the bytes of a photo into a square of pixels: `decode_image`, then `resize_square`.

    Returns
    -------
    pixels : ndarray of uint8, shape (size, size, 3)
    original_size : tuple of int
        Width and height of the upright image.
    notes : tuple of str
        As `decode_image` gives them.

    Raises
    ------
    RejectedImage
        As `decode_image` does.
    """
    image, notes = decode_image(data)
    return resize_square(image, size), image.size, notes


def _decode(scanned, found):
    rgb, notes, exif = _read(scanned, found)
    if (method := _TRANSPOSE.get(_orientation(exif))) is not None:
        rgb = rgb.transpose(method)
        notes.add("exif-transposed")
    return rgb, tuple(note for note in NOTES if note in notes)


def _read(scanned, found):
    with _READERS[found](BytesIO(scanned.data)) as image:
        check_size(image.size, scanned.max_pixels)
        if 0 in image.size:
            raise RejectedImage("unreadable", "{}×{} has no pixels".format(*image.size))
        animated = getattr(image, "is_animated", False)
        image.load()
        exif = scanned.exif or image.info.get("exif", b"")
        rgb, notes = _to_rgb(image)
    if animated:
        notes.add("animated")
    return rgb, notes, exif


def _to_rgb(image):
    notes = set()
    if image.mode.startswith("I"):
        notes |= {"16-bit", "grayscale"}
    elif image.mode in ("1", "L", "LA"):
        notes.add("grayscale")
    elif image.mode in ("P", "PA"):
        notes.add("palette")
    elif image.mode == "CMYK":
        notes.add("cmyk")
    if image.mode == "RGB" and not image.has_transparency_data:
        return image, notes
    rgb, rows = Image.new("RGB", image.size), max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        band, alpha = _band_to_rgb(band)
        if alpha:
            notes.add("alpha")
        rgb.paste(band, (0, top))
    return rgb, notes


def _band_to_rgb(image):
    """Give some rows as RGB, and whether any of it is not opaque."""
    if image.mode.startswith("I"):
        transparent, samples = image.info.get("transparency"), np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((samples + 128) // 257).astype(np.uint8))
        if transparent is not None:
            image.putalpha(Image.fromarray(np.where(samples == transparent, 0, 255).astype("u1")))
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB"), image.getextrema()[3][0] < 255


def _orientation(exif):
    """Read the orientation, 1 to 8, from an EXIF block (TIFF 6.0, section 2); 1 if it is broken."""
    if not isinstance(exif, bytes):  # a PNG may hold a text under this name
        return 1
    tiff = exif.removeprefix(EXIF)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for index in range(count):
            tag, field, _, value = struct.unpack_from(order + "HHIH", tiff, start + 2 + 12 * index)
            if tag == _ORIENTATION_TAG and field == _SHORT:
                return value
    except struct.error:
        pass
    return 1


def _is_cut_short(data, found):
    if found == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    # Only the end is searched: a preview inside the file has an end of its own.
    return {"JPEG": b"\xff\xd9", "PNG": b"IEND"}[found] not in data[-4096:]
