"""Hostile requests: (name, bytes on the wire, statuses that the response may have)."""

import json
import zlib

from PIL import Image, PngImagePlugin

from tests.flowers.images.photo_files import (
    encode_image,
    make_chunk,
    make_exif,
    make_picture,
    make_png,
)
from tests.scoring.server.service import build_form

# Among statuses: waitress itself may refuse the request, without a problem or a request id.
HTTP = "HTTP"
LONG_TEXT = zlib.compress(bytes(50_000_000), 9)
MULTIPART = "multipart/form-data"
CHUNKS = (b"zz\r\n", b"5\r\nab", b"5\r\nabcdefg\r\n", b"ffffffffffffffffff\r\n", b"-5\r\n")


def build_request(method, path, body=b"", **headers):
    """Build the bytes of a request; a Content-Length of None is left out."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost"]
    for name, value in ({"Content_Length": len(body)} | headers).items():
        if value is not None:
            value = value if isinstance(value, bytes) else str(value).encode()
            lines.append(name.replace("_", "-").encode() + b": " + value)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def build_upload(*photos, **headers):
    body, content_type = build_form(photos)
    return build_request("POST", "/predict", body, Content_Type=content_type, **headers)


def list_rare_photos():
    """Yield valid files that are rare."""
    small = make_picture(24, 16)
    yield "1x65000", encode_image(Image.new("RGB", (1, 65_000)), "JPEG")
    yield "CMYK", encode_image(small.convert("CMYK"), "JPEG")
    yield "16-bit", encode_image(Image.new("I;16", (20, 10), 40_000), "PNG")
    for file_format in ("WEBP", "PNG"):
        animation = encode_image(small, file_format, save_all=True, append_images=[small] * 3)
        yield f"animated {file_format}", animation
    yield "EXIF orientation 9", encode_image(small, "JPEG", exif=make_exif(9))
    texts = PngImagePlugin.PngInfo()
    for number in range(2_000):
        texts.add_text(f"key {number}", "x" * 1_000, zip=True)
    yield "PNG with many texts", encode_image(small, "PNG", pnginfo=texts)


def list_bombs():
    """Yield files that claim, or decompress to, more than they may."""
    for side in (5_001, 30_000, 2**31 - 1):
        yield f"PNG header of {side}", make_png(side, side, 8, 2, zlib.compress(bytes(100))), {422}
    yield "PNG bomb", make_png(30_000, 30_000, 1, 0, bytes(30_000 * 3_751)), {422}
    text = make_chunk(b"zTXt", b"Comment\0\0" + LONG_TEXT)
    yield "PNG with a text of 50 MB", make_png(4, 4, 8, 0, bytes(20), text), {422}
    profile = make_chunk(b"iCCP", b"profile\0\0" + LONG_TEXT)
    yield "PNG with a profile of 50 MB", make_png(4, 4, 8, 0, bytes(20), profile), {200, 422}
    progressive = encode_image(Image.new("L", (5_000, 5_000)), "JPEG", progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    yield "JPEG of 5,000 scans", progressive[:-2] + scan * 5_000 + progressive[-2:], {422}


def list_bad_photos():
    """Yield files that are cut short or of another format."""
    yield "no bytes", b"", {422}
    for file_format in ("JPEG", "PNG", "WEBP"):
        photo = encode_image(make_picture(), file_format)
        for tenth in range(1, 10):
            # The last tenth may hold no more pixels.
            statuses = {422} if tenth < 9 else {200, 422}
            yield f"{file_format}, {tenth} tenths", photo[: len(photo) * tenth // 10], statuses
        yield f"{file_format} with another beginning", b"\0" + photo, {415}
    for file_format in ("TIFF", "GIF", "BMP", "PPM", "ICO", "PDF"):
        yield f"{file_format} named .jpg", encode_image(make_picture(), file_format), {415}
    yield "SVG named .jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', {415}


def list_uploads(photo):
    """Yield forms that are malformed or too large; the service reads 2 MB and 4 photos."""
    body, content_type = build_form([("a.jpg", photo)])
    boundary = f"{MULTIPART}; boundary=x"
    header = b"--x\r\nContent-Disposition: form-data; " + b"a" * 1_000_000 + b"\r\n\r\n--x--\r\n"
    long_name = body.replace(b"a.jpg", b"x" * 100_000)
    many_fields, fields_type = build_form([("a", b"x")] * 5_000, field="text")
    requests = (
        ("thousands of fields", many_fields, fields_type, {413}),
        ("no boundary", body, MULTIPART, {400}),
        ("empty boundary", body, f"{MULTIPART}; boundary=", {400}),
        ("boundary not ASCII", body, f"{MULTIPART}; boundary=ü", {400}),
        ("photo as the form", photo, boundary, {400}),
        ("photo as the body", photo, "image/jpeg", {415}),
        ("cut in the middle", body[: len(body) // 2], content_type, {400, 422}),
        ("part's header of 1 MB", header, boundary, {400, 413}),
        ("file name of 100 kB", long_name, content_type, {200, 400, 413}),
        ("file name in bad UTF-8", body.replace(b"a.jpg", b"\xff\xed\xa0"), content_type, {400}),
    )
    for name, content, kind, statuses in requests:
        yield name, build_request("POST", "/predict", content, Content_Type=kind), statuses
    yield "oversized upload", build_upload(("a.jpg", bytes(3_000_000))), {413}
    yield "five photos", build_upload(*[("a.jpg", photo)] * 5), {413}
    yield "hundreds of files", build_upload(*[("a.jpg", b"x")] * 500), {413}
    yield "path as a file name", build_upload(("../../../etc/passwd\0.jpg", photo)), {200}
    yield "wrong encoding", build_upload(("a.jpg", photo), Content_Encoding="gzip"), {200}
    lengths = ((len(body) + 100, {None}), (len(body) // 2, {400, 422}), (None, {400, 411}))
    for length, statuses in lengths:
        yield f"length {length}", build_upload(("a.jpg", photo), Content_Length=length), statuses


def list_chunked():
    headers = {"Content_Length": None, "Transfer_Encoding": "chunked"}
    for path, kind in (("/predict", f"{MULTIPART}; boundary=x"), ("/feedback", "application/json")):
        for chunk in CHUNKS:
            request = build_request("POST", path, chunk, Content_Type=kind, **headers)
            yield f"{path} in chunks {chunk}", request, {400, 413, HTTP, None}
    long = b"%x\r\n%s\r\n0\r\n\r\n" % (3_000_000, bytes(3_000_000))
    headers["Content_Type"] = f"{MULTIPART}; boundary=x"
    yield "oversized in chunks", build_request("POST", "/predict", long, **headers), {413}


def list_labels():
    """Yield bodies of /feedback."""
    label = json.dumps({"request_id": "a", "true_label": "Tulip"}).encode()
    yield label.decode().encode("utf-16"), {202, 400}
    for body in (b"", b"{", b"nul", b"\xff\xfe", b"[" * 10_000, b'{"a":' * 3_000, b"9" * 10_000):
        yield body, {400}
    for body in (b"null", b"[]", b"1e999", b"NaN", b'"text"', b"{}", b"9" * 4_000):
        yield body, {422}
    for value in (b"null", b"{}", b"[[]]", b'"\\ud800"', b'"' + b"x" * 10_000 + b'"', b"1e999"):
        for key in (b"true_label", b"request_id", b"index"):
            yield label[:-1] + b', "%s": %s}' % (key, value), {422}
    for value in (b"-1", b"true", b"4", b"9" * 4_000):
        yield label[:-1] + b', "index": %s}' % value, {422}
    for value in (b"7", b'"a b"', b'"a\\n"'):
        yield label[:-1] + b', "request_id": %s}' % value, {422}
    yield b'"' + b"x" * 3_000_000 + b'"', {413}
    yield b"[" + b"[]," * 500_000 + b"[]]", {413}


def list_malformed_http():
    """Yield requests that no endpoint takes."""
    for method in ("OPTIONS", "TRACE", "PUT", "PROPFIND", "CONNECT", "get", "G" * 1_000):
        yield method[:9], build_request(method, "/predict"), {400, 405}
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%5capp.py", "/%00"):
        yield path, build_request("GET", path), {404}
    for path in ("/static/%ff", "/ü", "/" + "a/" * 1_900, "/predict/", "http://[::1/predict"):
        yield path[:20], build_request("GET", path), {400, 404, None}
    yield "path of 100 kB", build_request("GET", "/" + "a" * 100_000), {431}
    json_type = {"Content_Type": "application/json"}
    for length in ("-1", "+5", "five", "5, 5", "9" * 30, "0x10"):
        sized = build_request("POST", "/feedback", Content_Length=length, **json_type)
        yield f"length {length}", sized, {400, 413}
    yield "header of 100 kB", build_request("GET", "/health", X_Long="x" * 100_000), {431}
    headers = {f"X{number}": number for number in range(1_000)}
    yield "a thousand headers", build_request("GET", "/health", **headers), {431}
    yield (
        "two lengths",
        build_request("POST", "/predict", Content_Length=5, content_length=6),
        {400},
    )
    for lines in (b"\x16\x03\x01", b"GET / HTTP/1.1\r\n: x", b"GET / HTTP/1.1\r\nA: b\r\n c"):
        yield lines.decode(), lines + b"\r\n\r\n", {400}
    yield "unknown coding", build_request("POST", "/predict", Transfer_Encoding="x"), {501}
    for value in ("", " ", "x" * 65, "x" * 8_000, "../a", "a;b", '"', "é", b"\xff", "{{7*7}}"):
        yield f"id {value[:8]}", build_request("GET", "/health", X_Request_Id=value), {200}
    for value in (b"a\0b", b"a\rb", b"a\nSet-Cookie: b"):
        yield f"id {value}", build_request("GET", "/health", X_Request_Id=value), {200, 400}


def build_corpus(photo):
    """Yield all hostile requests; `photo` is a good one."""
    rare = ((name, content, {200}) for name, content in list_rare_photos())
    for photos in (rare, list_bombs(), list_bad_photos()):
        for name, content, statuses in photos:
            yield name, build_upload(("a.jpg", content)), statuses
    yield from list_uploads(photo)
    yield from list_chunked()
    for body, statuses in list_labels():
        request = build_request("POST", "/feedback", body, Content_Type="application/json")
        yield f"feedback {body[:60]}", request, statuses
    for name, request, statuses in list_malformed_http():
        yield name, request, statuses | {HTTP}
