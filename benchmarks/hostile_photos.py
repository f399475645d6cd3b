"""Hostile photos: files below 20 MB that are expensive to decode, for benchmarks.attack."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

LARGE = (5_000, 5_000)
LARGEST = (12_000, 9_000)
SMALL = (4, 5)
GREY = (8, 0)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MEGABYTE = 1_000_000


def encode(image, file_format, **options):
    """Encode an image to bytes."""
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def make_chunk(name, body=b""):
    """Make a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def make_segment(marker, body=b""):
    """Make a segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def make_grain(mode="RGB", size=LARGE, grain=24):
    """Make an image that compresses badly, in any mode of 8 bits."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    generator = np.random.default_rng(0)
    tile = generator.integers(0, grain, (500, 500, channels), dtype=np.uint8) + np.uint8(100)
    repeated = np.tile(tile, (size[1] // 500 + 1, size[0] // 500 + 1, 1))[: size[1], : size[0]]
    return Image.frombytes(mode, size, np.ascontiguousarray(repeated).tobytes())


def build_png(size, kind, rows, extra=b"", interlace=0):
    """Build a PNG from its bit depth and colour type `kind` and compressed rows or whole chunks."""
    header = struct.pack(">IIBBBBB", *size, *kind, 0, 0, interlace)
    data = rows if isinstance(rows, list) else [make_chunk(b"IDAT", rows)]
    return SIGNATURE + make_chunk(b"IHDR", header) + extra + b"".join(data) + make_chunk(b"IEND")


def compress_blank_rows(row_bytes, rows):
    """Compress rows of zeros, each with its filter byte."""
    return zlib.compress(bytes((row_bytes + 1) * rows), 1)


def generate_jpegs():
    """Yield (name, content) of each hostile JPEG."""
    small = encode(Image.new("RGB", (64, 64), "red"), "JPEG")

    def insert_segments(segments):
        return small[:20] + segments + small[20:]  # after the first segment

    progressive = encode(Image.new("L", (4_900, 4_900)), "JPEG", progressive=True)
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    yield "96 scans of 4900×4900", progressive[:-2] + last * 90 + progressive[-2:]
    hidden = (make_segment(0xFE, b"\xff\xd9") + last) * 90
    yield "96 scans behind a false end", progressive[:-2] + hidden + progressive[-2:]
    yield "a million comments", insert_segments(make_segment(0xFE) * MEGABYTE)
    yield (
        "a million comments after the scan",
        small[:-2] + make_segment(0xFE) * MEGABYTE + small[-2:],
    )
    yield "10 MB of zeros before a marker", insert_segments(bytes(10 * MEGABYTE))
    yield "10 MB of FF before a marker", insert_segments(b"\xff" * 10 * MEGABYTE)
    yield "10 MB of escaped FF", insert_segments(b"\xff\0" * 5 * MEGABYTE)
    yield "19 MB of FF after the scan", small[:-2] + b"\xff" * 19 * MEGABYTE + small[-2:]
    yield "19 MB of escaped FF after the scan", small[:-2] + b"\xff\0" * 9_500_000 + small[-2:]
    yield "10 MB after the end", small + bytes(10 * MEGABYTE)
    resource = b"8BIM\4\4\0\0" + bytes(4)
    yield (
        "a million Photoshop blocks",
        insert_segments(make_segment(0xED, b"Photoshop 3.0\0" + resource * 5_400) * 250),
    )
    table = bytes([0]) + bytes(range(1, 65))
    yield "300,000 tables", insert_segments(make_segment(0xDB, table * 1_000) * 300)
    yield (
        "profile of 16 MB",
        insert_segments(make_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000)) * 250),
    )
    yield from generate_large_jpegs()


def generate_large_jpegs():
    """Yield (name, content) of JPEG files with many pixels."""
    heavy = encode(make_grain(grain=140), "JPEG", quality=60, subsampling=0, progressive=True)
    yield "25 MP progressive grain", heavy
    grain = make_grain()
    for name, options in {"sequential": {}, "progressive": {"progressive": True}}.items():
        yield f"25 MP {name}", encode(grain, "JPEG", quality=85, subsampling=0, **options)
        largest = make_grain(size=LARGEST)
        yield f"108 MP {name}", encode(largest, "JPEG", quality=60, subsampling=0, **options)
    whole = encode(grain, "JPEG", quality=60, subsampling=0)
    for name, coding in {"arithmetic": 0xC9, "lossless": 0xC3}.items():
        yield f"25 MP {name}", whole.replace(b"\xff\xc0", bytes([0xFF, coding]), 1)
    yield "25 MP CMYK progressive", encode(make_grain("CMYK"), "JPEG", quality=50, progressive=True)
    yield "25 MP grey progressive", encode(make_grain("L"), "JPEG", progressive=True)


def generate_pngs():
    """Yield (name, content) of each hostile PNG."""
    profile = make_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(990_000), 9))
    text = make_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(990_000), 9)[:-6] + b"\xff\xff")
    tiny = zlib.compress(bytes(4 * 5), 9)
    yield "25,000,000×1", build_png((25_000_000, 1), GREY, compress_blank_rows(25_000_000, 1))
    yield "1×25,000,000", build_png((1, 25_000_000), GREY, compress_blank_rows(1, 25_000_000))
    yield "2,000 profiles", build_png(SMALL, GREY, tiny, profile * 2_000)
    yield "10,000 texts that end badly", build_png(SMALL, GREY, tiny, text * 10_000)
    yield "a million chunks", build_png(SMALL, GREY, tiny, make_chunk(b"abCd") * MEGABYTE)
    yield "a million chunks of pixels", build_png(SMALL, GREY, [make_chunk(b"IDAT")] * MEGABYTE)
    end = [make_chunk(b"IDAT", tiny), make_chunk(b"abCd") * MEGABYTE]
    yield "a million chunks after the pixels", build_png(SMALL, GREY, end)
    yield "10 MB after the end", build_png(SMALL, GREY, tiny) + bytes(10 * MEGABYTE)
    frame = make_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 4, 5, 0, 0, 1, 1, 0, 0))
    yield (
        "400,000 frames",
        build_png(
            SMALL, GREY, tiny, make_chunk(b"acTL", struct.pack(">II", 2, 0)) + frame * 400_000
        ),
    )
    yield from generate_large_pngs()


def generate_large_pngs():
    """Yield (name, content) of PNG files with many pixels."""
    for name, (*kind, row_bytes) in {
        "1-bit": (1, 0, 625),
        "grey": (8, 0, 5_000),
        "16-bit grey": (16, 0, 10_000),
        "16-bit colour": (16, 2, 30_000),
        "grey with alpha": (8, 4, 10_000),
        "alpha": (8, 6, 20_000),
        "16-bit alpha": (16, 6, 40_000),
    }.items():
        yield f"25 MP {name}", build_png(LARGE, kind, compress_blank_rows(row_bytes, 5_000))
    palette = make_chunk(b"PLTE", bytes(768)) + make_chunk(b"tRNS", bytes(range(256)))
    yield (
        "25 MP palette with alpha",
        build_png(LARGE, (8, 3), compress_blank_rows(5_000, 5_000), palette),
    )
    clear = make_chunk(b"tRNS", bytes(2))
    yield (
        "25 MP 16-bit grey, one clear",
        build_png(LARGE, (16, 0), compress_blank_rows(10_000, 5_000), clear),
    )
    clear = make_chunk(b"tRNS", bytes(6))
    yield (
        "25 MP colour, one clear",
        build_png(LARGE, (8, 2), compress_blank_rows(15_000, 5_000), clear),
    )
    blank = compress_blank_rows(40_000, 5_000)
    yield "50 MP alpha", build_png((10_000, 5_000), (8, 6), blank)
    interlaced = zlib.compress(bytes(20_001 * 5_100), 1)
    yield "25 MP alpha interlaced", build_png(LARGE, (8, 6), interlaced, interlace=1)
    yield "20 MB of grain", encode(make_grain("RGBA", (4_000, 2_400)), "PNG", compress_level=1)


def generate_webps():
    """Yield (name, content) of each hostile WEBP."""
    for name, size in {"25 MP": LARGE, "18 MP": (4_500, 4_000)}.items():
        flat = Image.new("RGBA", size, (1, 2, 3, 4))
        yield name, encode(make_grain(size=size), "WEBP", quality=30, method=0)
        yield f"{name} lossless with alpha", encode(flat, "WEBP", lossless=True, method=0)
    grain = make_grain("RGBA", (3_000, 3_000))
    yield "9 MP lossless grain", encode(grain, "WEBP", lossless=True, quality=0, method=0)
    second = Image.new("RGB", (16, 16), "red")
    webp = encode(Image.new("RGB", (16, 16)), "WEBP", save_all=True, append_images=[second])
    start = webp.index(b"ANMF")
    frame = webp[start : start + 8 + int.from_bytes(webp[start + 4 : start + 8], "little")]
    chunks = webp[8:] + frame * (15 * MEGABYTE // len(frame))
    yield "250,000 frames", b"RIFF" + struct.pack("<I", len(chunks)) + chunks
    odd = webp[8:] + b"abcd\0\0\0\0" * 2 * MEGABYTE
    yield "2,000,000 chunks", b"RIFF" + struct.pack("<I", len(odd)) + odd


def generate_photos():
    """Yield (name, content) of every hostile photo."""
    generators = {"JPEG": generate_jpegs, "PNG": generate_pngs, "WEBP": generate_webps}
    for kind, generate in generators.items():
        for name, content in generate():
            yield f"{kind}: {name}", content
