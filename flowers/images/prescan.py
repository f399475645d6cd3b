"""What a photo will cost to read, told from its structure before a reader sees it.

The readers of Pillow spend time on markers, profiles and texts, piece by piece, and on every scan
of a JPEG however few bytes it has: a small file can keep them busy for long. Here only what makes
pixels is handed on, pieces are counted, and scans are weighed by their pixels. All searching is
done by ``bytes`` and ``re``, in time linear in the length of the file.
"""

import re
import struct
from dataclasses import dataclass

from flowers.base.errors import RejectedImage

MAX_PIXELS = 25_000_000
# The reader of WEBP holds four bytes a pixel four times over.
MAX_WEBP_PIXELS = 18_000_000
MAX_SIDE = 65_535  # that of JPEG
# Of a JPEG; progressive ones of cameras and web sites have about ten scans.
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
# A camera's JPEG has up to some hundred (a depth map comes in pieces of 64 kB), a PNG of 20 MB in
# pieces of 4 kB has 5,000.
MAX_PIECES = {"JPEG": 2_000, "PNG": 10_000}
# Between the scans of a JPEG. The reader starts anew at its beginning with every block it gets.
_PADDING = b"\xff" * 65_536
# Tables and frame of a JPEG; usual are one or two thousand.
MAX_TABLE_BYTES = 65_536

# ITU-T T.81, table B.1. A marker is FF, any number of FF as padding, and neither 0 nor FF.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])")
# After the first scan: not 01 and the restarts, which have no length.
_JPEG_LATER = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd7])")
_SCAN, _END, _COMMENT, _APP, _EXIF_MARKER = 0xDA, 0xD9, 0xFE, range(0xE0, 0xF0), 0xE1
_ALONE = {0x01, *range(0xD0, _END + 1)}  # markers without a length
_FRAMES = {0xC0, 0xC1, 0xC2}  # Huffman coding: baseline, extended, progressive
_OTHER_FRAMES = set(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Those that say how colours are stored.
_COLOUR_BLOCKS = {0xE0: b"JFIF", 0xEE: b"Adobe"}
EXIF = b"Exif\0\0"

_PNG_SIGNATURE = 8
_PNG_BEFORE = {b"IHDR", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"eXIf", b"IDAT", b"IEND"}
_PNG_AFTER = {b"eXIf", b"IDAT", b"IEND"}  # later frames are not read


@dataclass(frozen=True)
class Prescan:
    """A photo as it is handed to its reader.

    Attributes
    ----------
    data : bytes
        The file without what makes no pixels.
    size : tuple of int
        Width and height that the header promises, 0 where it has none.
    passes : int
        How often the reader goes over all pixels.
    exif : bytes
        Of a JPEG: its EXIF block, else empty.
    max_pixels : int
        How many are read of such a file.
    """

    data: bytes
    size: tuple
    passes: int = 1
    exif: bytes = b""
    max_pixels: int = MAX_PIXELS

    @property
    def pixels(self):
        """Pixels that the header promises."""
        return self.size[0] * self.size[1]

    @property
    def work(self):
        """Pixels times passes: what reading costs."""
        return self.pixels * self.passes


def prescan(data, kind):
    """Look at the structure of a photo.

    Parameters
    ----------
    data : bytes
    kind : {"JPEG", "PNG", "WEBP"}

    Returns
    -------
    Prescan

    Raises
    ------
    RejectedImage
        With the reason "too many pixels" or "unreadable".
    """
    found = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}[kind](data)
    check_size(found.size, found.max_pixels)
    if found.passes > MAX_SCANS or found.passes > 1 and found.work > MAX_SCANNED_PIXELS:
        width, height = found.size
        raise RejectedImage("unreadable", f"{found.passes} scans of {width}×{height} are too many")
    return found


def check_size(size, max_pixels=MAX_PIXELS):
    """Refuse a photo with too many pixels, or too long a side.

    Raises
    ------
    RejectedImage
        With the reason "too many pixels".
    """
    width, height = size
    if width * height > max_pixels or max(size) > MAX_SIDE:
        raise RejectedImage(
            "too many pixels",
            f"{width}×{height}, at most {max_pixels} and {MAX_SIDE} a side are read",
        )


def _count(pieces, kind):
    if pieces > MAX_PIECES[kind]:
        raise RejectedImage("unreadable", f"more than {MAX_PIECES[kind]} pieces in a {kind}")


def _jpeg(data):
    kept, exif, size, scans, first, end = [data[:2]], b"", (0, 0), 0, None, len(data)
    for marker, start, stop in _segments(data):
        if marker == _SCAN:
            scans, first = scans + 1, first or start
        elif first:
            end = stop if marker == _END else end
        elif _makes_pixels(marker, data[start + 4 : start + 9]):
            kept.append(data[start:stop])
            _count_tables(kept)
            if marker in _FRAMES:
                height, width = struct.unpack(">2H", data[start + 5 : start + 9])
                size = width, height
        elif marker == _EXIF_MARKER and not exif and data.startswith(EXIF, start + 4):
            exif = data[start + 4 : stop]
    if first:
        kept.append(data[first:end])
        if _PADDING in kept[-1]:
            raise RejectedImage("unreadable", f"{len(_PADDING)} bytes of padding in a JPEG")
    return Prescan(b"".join(kept), size, max(scans, 1), exif)


def _segments(data):
    """Marker, start and end of each piece of a JPEG, up to the end of its first picture."""
    pieces, position, pattern = 0, 2, _JPEG_MARKER
    while match := pattern.search(data, position):
        pieces += 1
        _count(pieces, "JPEG")
        marker, position = match[1][0], match.end()
        if marker not in _ALONE:
            position += int.from_bytes(data[position : position + 2], "big")
        yield marker, match.start(), position
        if marker == _SCAN:
            pattern = _JPEG_LATER
        elif marker == _END and pattern is _JPEG_LATER:
            return


def _makes_pixels(marker, beginning):
    if marker in _OTHER_FRAMES:
        raise RejectedImage("unreadable", f"JPEG coding {marker:02X}; Huffman coding alone is read")
    if marker in _COLOUR_BLOCKS:
        return beginning.startswith(_COLOUR_BLOCKS[marker])
    return marker not in _APP and marker not in _ALONE and marker != _COMMENT


def _count_tables(kept):
    if sum(map(len, kept)) > MAX_TABLE_BYTES:
        raise RejectedImage("unreadable", f"more than {MAX_TABLE_BYTES} bytes of JPEG tables")


def _png(data):
    kept, wanted, pieces, position = [data[:_PNG_SIGNATURE]], _PNG_BEFORE, 0, _PNG_SIGNATURE
    while position + 8 <= len(data):
        pieces += 1
        _count(pieces, "PNG")
        name = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if name in wanted:
            kept.append(data[position:end])
        if name == b"IDAT":
            wanted = _PNG_AFTER
        elif name == b"IEND":
            break
        position = end
    size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return Prescan(b"".join(kept), size)


def _webp(data):
    # RFC 9649: the first chunk says the size of the canvas, in a way of its own.
    name, body = data[12:16], data[20:30]
    if name == b"VP8X":
        size = tuple(int.from_bytes(body[i : i + 3], "little") + 1 for i in (4, 7))
    elif name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        size = tuple(int.from_bytes(body[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    return Prescan(data, size, max_pixels=MAX_WEBP_PIXELS)
