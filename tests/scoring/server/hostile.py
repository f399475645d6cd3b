"""Hostile requests: (name, bytes on the wire, statuses that the response may have)."""

import json
import struct
import zlib

from PIL import Image, PngImagePlugin

from tests.flowers.images.photo_files import (
    encode_image,
    make_chunk,
    make_exif,
    make_picture,
    make_png,
)
from tests.scoring.server.service import form

# Of statuses: waitress itself may refuse it, without a problem or a request id.
HTTP = "HTTP"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONG_TEXT = zlib.compress(bytes(50_000_000), 9)


def request(method, path, body=b"", **headers):
    """The bytes of a request; headers are text or bytes, a Content-Length of None is left out."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost"]
    for name, value in ({"Content_Length": len(body)} | headers).items():
        if value is not None:
            value = value if isinstance(value, bytes) else str(value).encode()
            lines.append(name.replace("_", "-").encode() + b": " + value)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def predict(*photos, **headers):
    body, content_type = form(photos)
    return request("POST", "/predict", body, Content_Type=content_type, **headers)


def odd_photos():
    """Valid files that are rare."""
    small = make_picture(24, 16)
    frames = [small, small.rotate(90), small.rotate(180)]
    deep = Image.new("I;16", (20, 10), 40_000)
    yield "1x1", encode_image(Image.new("RGB", (1, 1)), "PNG")
    yield "1x65000", encode_image(Image.new("RGB", (1, 65_000)), "JPEG")
    yield "65000x1", encode_image(Image.new("RGB", (65_000, 1)), "PNG")
    yield "as many pixels as are read", encode_image(Image.new("L", (5_000, 5_000)), "PNG")
    yield "CMYK", encode_image(small.convert("CMYK"), "JPEG")
    yield "16-bit", encode_image(deep, "PNG")
    yield "16-bit RGB", make_png(4, 4, 16, 2, bytes(4 * 25))
    yield "alpha", encode_image(small.convert("RGBA").rotate(30), "PNG")
    yield "animated WEBP", encode_image(small, "WEBP", save_all=True, append_images=frames)
    yield "animated PNG", encode_image(small, "PNG", save_all=True, append_images=frames)
    for orientation in range(10):
        yield f"EXIF {orientation}", encode_image(small, "JPEG", exif=make_exif(orientation))


def bad_photos():
    """Files with the statuses that each may have."""
    yield "no bytes", b"", {422}
    for side in (5_001, 30_000, 2**31 - 1):
        yield f"PNG header of {side}", make_png(side, side, 8, 2, zlib.compress(bytes(100))), {422}
    yield "PNG bomb", make_png(30_000, 30_000, 1, 0, bytes(30_000 * 3_751)), {422}
    text = make_chunk(b"zTXt", b"Comment\0\0" + LONG_TEXT)
    yield "PNG with a text of 50 MB", make_png(4, 4, 8, 0, bytes(20), text), {422}
    profile = make_chunk(b"iCCP", b"profile\0\0" + LONG_TEXT)
    yield "PNG with a profile of 50 MB", make_png(4, 4, 8, 0, bytes(20), profile), {200, 422}
    many = PngImagePlugin.PngInfo()
    for number in range(2_000):
        many.add_text(f"key {number}", "x" * 1_000, zip=True)
    yield "PNG with many texts", encode_image(make_picture(), "PNG", pnginfo=many), {200}
    jpeg = encode_image(make_picture(), "JPEG")
    frame = jpeg.index(b"\xff\xc0") + 5
    wide = jpeg[:frame] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 4 :]
    yield "JPEG header of 65500", wide, {422}
    progressive = encode_image(Image.new("L", (5_000, 5_000)), "JPEG", progressive=True)
    last = progressive[progressive.rindex(b"\xff\xda") : -2]
    yield "JPEG of 5,000 scans", progressive[:-2] + last * 5_000 + progressive[-2:], {422}
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0" * 2
    webp = b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas
    yield "WEBP header of 16384", webp, {422}
    for format in ("JPEG", "PNG", "WEBP"):
        whole = encode_image(make_picture(), format)
        for tenth in range(1, 10):
            part = whole[: len(whole) * tenth // 10]
            # The last of the file may hold no more pixels.
            yield f"{format} of {tenth} tenths", part, {422} if tenth < 9 else {200, 422}
        yield f"{format} with another beginning", b"\0" + whole, {415}
    for format in ("TIFF", "GIF", "BMP", "PPM", "ICO", "PDF"):
        yield f"{format} named .jpg", encode_image(make_picture(), format), {415}
    yield "SVG named .jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', {415}
    yield "PSD named .jpg", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3), {415}


def forms(photo):
    """Forms that are none, or too much of one; the service reads 2 MB and 4 photos."""
    body, content_type = form([("a.jpg", photo)])
    multipart = "multipart/form-data"

    def post(body, content_type=content_type, **headers):
        return request("POST", "/predict", body, Content_Type=content_type, **headers)

    yield "oversized upload", predict(("a.jpg", bytes(3_000_000))), {413}
    yield "hundreds of files", predict(*[("a.jpg", b"x")] * 500), {413}
    yield "thousands of fields", post(*form([("a", b"x")] * 5_000, field="text")), {413}
    big_field = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + bytes(1_500_000)
    yield "a field of 1.5 MB", post(big_field + b"\r\n--x--\r\n", f"{multipart}; boundary=x"), {413}
    yield "no boundary", post(body, multipart), {400}
    yield "empty boundary", post(body, f"{multipart}; boundary="), {400}
    yield "another boundary", post(body, f"{multipart}; boundary=other"), {400}
    yield "boundary of 10 kB", post(body, f"{multipart}; boundary={'x' * 7_000}"), {400}
    yield "boundary no ASCII", post(body, f"{multipart}; boundary=ü"), {400}
    yield "cut in the middle", post(body[: len(body) // 2]), {400, 422}
    yield "cut in a part's header", post(body[:70]), {400}
    header = b"--x\r\nContent-Disposition: form-data; " + b"a" * 1_000_000 + b"\r\n\r\n--x--\r\n"
    yield "a part's header of 1 MB", post(header, f"{multipart}; boundary=x"), {400, 413}
    yield "no part has a name", post(body.replace(b'name="file"; ', b"")), {400}
    yield "file name of 100 kB", predict(("x" * 100_000, photo)), {200, 400, 413}
    yield "path as a file name", predict(("../../../etc/passwd\0.jpg", photo)), {200}
    yield "file name of bad UTF-8", post(body.replace(b"a.jpg", b"\xff\xfe\xed\xa0.jpg")), {400}
    yield "no file name", post(body.replace(b'; filename="a.jpg"', b"")), {400}
    yield "said to be compressed", post(body, Content_Encoding="gzip"), {200}
    yield "fewer bytes than said", post(body, Content_Length=len(body) + 100), {None}
    yield "fewer bytes read", post(body, Content_Length=len(body) // 2), {400, 422}
    yield "no length", post(body, Content_Length=None), {400, 411}
    for chunks in (
        b"zz\r\n",
        b"5\r\nab",
        b"5\r\nabcdefg\r\n",
        b"ffffffffffffffffff\r\n",
        b"-5\r\n",
    ):
        for path, kind in (("/predict", content_type), ("/feedback", "application/json")):
            headers = {"Content_Length": None, "Transfer_Encoding": "chunked", "Content_Type": kind}
            statuses = {400, 413, HTTP, None}
            yield f"{path} in chunks {chunks}", request("POST", path, chunks, **headers), statuses
    long = b"%x\r\n%s\r\n0\r\n\r\n" % (3_000_000, bytes(3_000_000))
    yield "oversized in chunks", post(long, Content_Length=None, Transfer_Encoding="chunked"), {413}


def feedback():
    told = json.dumps({"request_id": "a", "true_label": "Tulip"}).encode()
    yield "UTF-16", told.decode().encode("utf-16"), {202, 400}
    for body in (b"", b"{", b"nul", b"\xff\xfe", b"[" * 3_000, b'{"a":' * 3_000):
        yield f"JSON {body[:8]}", body, {400}
    for body in (b"null", b"[]", b"1e999", b"NaN", b'"text"', b"{}", b"9" * 4_000):
        yield f"JSON {body[:8]}", body, {422}
    yield "a number of 10,000 digits", b"9" * 10_000, {400}
    for value in (b"null", b"{}", b"[[]]", b'"\\ud800"', b'"' + b"x" * 10_000 + b'"', b"1e999"):
        for key in (b"true_label", b"request_id", b"index"):
            yield f"{key}: {value[:8]}", told[:-1] + b', "%s": %s}' % (key, value), {422}
    yield "index of 4,000 digits", told[:-1] + b', "index": %s}' % (b"9" * 4_000), {422}
    yield "oversized", b'"' + b"x" * 3_000_000 + b'"', {413}
    yield "a list of lists", b"[" + b"[]," * 500_000 + b"[]]", {413}


def others():
    """Requests that no endpoint gets."""
    for method in ("OPTIONS", "TRACE", "PUT", "PROPFIND", "CONNECT"):
        yield method, request(method, "/predict"), {400, 405}
    yield "method in small letters", request("get", "/health"), {400, 405}
    yield "method of 1 kB", request("G" * 1_000, "/health"), {400, 405}
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%5capp.py", "/%00"):
        yield path, request("GET", path), {404}
    for path in ("/static/%ff", "/ü", "/" + "a/" * 1_900, "/predict/", "http://[::1/predict"):
        yield path[:20], request("GET", path), {400, 404, None}
    yield "path of 100 kB", request("GET", "/" + "a" * 100_000), {431}
    yield "query of 3 kB", request("GET", "/health?" + "a&" * 1_500), {200}
    for length in ("-1", "+5", "five", "5, 5", "9" * 30, "0x10"):
        sized = request("POST", "/feedback", Content_Length=length, Content_Type="application/json")
        yield f"length {length}", sized, {400, 413}
    yield "header of 100 kB", request("GET", "/health", X_Long="x" * 100_000), {431}
    yield (
        "a thousand headers",
        request("GET", "/health", **{f"X{n}": n for n in range(1_000)}),
        {431},
    )
    yield "two lengths", request("POST", "/predict", Content_Length=5, content_length=6), {400}
    both = request("POST", "/predict", b"0\r\n\r\n", Transfer_Encoding="chunked")
    yield "length and chunks", both, {400, 415}
    yield "header without a name", b"GET /health HTTP/1.1\r\n: x\r\n\r\n", {400}
    yield "folded header", b"GET /health HTTP/1.1\r\nA: b\r\n c\r\n\r\n", {400}
    yield "HTTP/9.9", b"GET /health HTTP/9.9\r\n\r\n", {400, 505}
    yield "no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400}
    yield "an expectation", request("GET", "/health", Expect="miracles"), {200}
    yield "unknown coding", request("POST", "/predict", Transfer_Encoding="x"), {501}
    for value in ("", " ", "x" * 65, "x" * 8_000, "../a", "a;b", '"', "é", b"\xff", "{{7*7}}"):
        yield f"id {value[:8]}", request("GET", "/health", X_Request_Id=value), {200}
    for value in (b"a\0b", b"a\rb", b"a\nSet-Cookie: b"):
        yield f"id {value}", request("GET", "/health", X_Request_Id=value), {200, 400}


def corpus(photo):
    for name, content in odd_photos():
        yield name, predict(("a.jpg", content)), {200}
    for name, content, statuses in bad_photos():
        yield name, predict(("a.jpg", content)), statuses
    yield from forms(photo)
    for name, body, statuses in feedback():
        sent = request("POST", "/feedback", body, Content_Type="application/json")
        yield f"feedback: {name}", sent, statuses
    for name, sent, statuses in others():
        yield name, sent, statuses | {HTTP}
