import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flowers.base.errors import BadInput
from flowers.sources.downloads import fetch_file

BODY = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/photos.zip")
            self.end_headers()
            return
        exists = self.path.startswith(("/photos.zip", "/short"))
        cut = "short" in self.path or ("second" in self.path and self.server.requests[1:])
        self.send_response(200 if exists else 404)
        self.send_header("Content-Length", str(len(BODY) + 10 * bool(cut) if exists else 0))
        self.end_headers()
        if exists:
            self.wfile.write(BODY)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """A server of `BODY` on this machine, with its address and the list of requested paths."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as local:
        local.requests = []
        local.address = f"http://127.0.0.1:{local.server_port}"
        thread = threading.Thread(target=local.serve_forever, args=(0.01,))
        thread.start()
        yield local
        local.shutdown()
        thread.join()


def test_a_local_path_is_returned_unchanged(tmp_path):
    path = tmp_path / "a b.zip"
    path.write_bytes(BODY)
    assert fetch_file(str(path), tmp_path / "cache") == path
    assert fetch_file(path.as_uri(), tmp_path / "cache", DIGEST) == path
    assert fetch_file(str(tmp_path), tmp_path / "cache") == tmp_path
    assert not (tmp_path / "cache").exists()
    with pytest.raises(BadInput, match=str(tmp_path / "gone.zip")):
        fetch_file(f"{tmp_path}/gone.zip", tmp_path)


def test_only_the_download_is_kept_in_the_cache(server, tmp_path, bars):
    path = fetch_file(f"{server.address}/photos.zip?x=1", tmp_path / "cache", DIGEST, bars)
    assert path.read_bytes() == BODY
    assert list((tmp_path / "cache").iterdir()) == [path]
    assert path.name.endswith("photos.zip")
    assert [(bar.n, bar.total) for bar in bars.made] == [(len(BODY),) * 2]
    assert fetch_file(f"{server.address}/moved", tmp_path, DIGEST).read_bytes() == BODY


def test_a_download_is_reused_only_if_its_digest_matches(server, tmp_path):
    url = f"{server.address}/photos.zip"
    path = fetch_file(url, tmp_path, DIGEST)
    assert fetch_file(url, tmp_path, DIGEST.upper()) == path
    assert len(server.requests) == 1
    path.write_bytes(b"damaged")
    assert fetch_file(url, tmp_path, DIGEST).read_bytes() == BODY
    fetch_file(url, tmp_path)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("page", "reason"), [("gone", "HTTP status 404"), ("short", "connection closed")]
)
def test_a_failed_download_is_bad_input_and_leaves_nothing(server, tmp_path, page, reason):
    with pytest.raises(BadInput, match=rf"{server.address}.*\({reason}\)"):
        fetch_file(f"{server.address}/{page}", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sha256", [None, DIGEST])
def test_a_cut_download_leaves_the_earlier_one_unchanged(server, tmp_path, sha256):
    url = f"{server.address}/photos.zip?cut=second"
    path = fetch_file(url, tmp_path, sha256)
    path.write_bytes(b"old")
    with pytest.raises(BadInput, match="download"):
        fetch_file(url, tmp_path, sha256)
    assert len(server.requests) == 2 and path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_wrong_digest_is_bad_input_with_both_digests_and_leaves_nothing(server, tmp_path):
    wrong = "0" * 64
    (tmp_path / "local").write_bytes(BODY)
    for source in (f"{server.address}/photos.zip", str(tmp_path / "local")):
        with pytest.raises(BadInput, match=f"{DIGEST}.*{wrong}"):
            fetch_file(source, tmp_path / "cache", wrong)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("[bad/a.zip", "invalid URL"),
        ("", "invalid URL"),
        ("host:port/a.zip", "invalid URL"),
        ("127.0.0.1:1/a.zip", "connection refused"),
    ],
)
def test_an_unreachable_address_is_bad_input_with_a_short_reason(tmp_path, address, reason):
    with pytest.raises(BadInput, match=rf"cannot be downloaded \({reason}\)"):
        fetch_file(f"http://{address}", tmp_path)
