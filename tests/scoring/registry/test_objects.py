"""Damaged, hostile and broken-off copies of a model in the DVC cache and remote."""

import hashlib
import http.server
import json
import threading

import pytest
from dvc.repo import Repo

from flowers.base.errors import BadInput
from flowers.model.card import hash_folder
from scoring.registry import objects

FILES = {"card.json": b"{}", "golden/a.jpg": b"a photo", "golden/b.jpg": b"another"}


def get_path(store, md5):
    return store / "files/md5" / md5[:2] / md5[2:]


def store_bytes(store, content, suffix=""):
    md5 = hashlib.md5(content).hexdigest() + suffix
    path = get_path(store, md5)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return md5


def store_folder(store, files):
    """Store files as DVC does; return the MD5 of the folder."""
    listing = [{"md5": store_bytes(store, c), "relpath": name} for name, c in files.items()]
    return store_bytes(store, json.dumps(listing).encode(), ".dir")


def set_remote(url):
    with Repo(".") as repo, repo.config.edit("local") as config:
        config["remote"]["store"] = {"url": url}
        config["core"]["remote"] = "store"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache of a DVC repository that is the working folder."""
    monkeypatch.chdir(tmp_path)
    Repo.init(".", no_scm=True).close()
    return tmp_path / ".dvc/cache"


def test_a_folder_is_copied_from_the_cache_and_pushed_to_the_remote(cache, tmp_path):
    md5 = store_folder(cache, FILES)
    set_remote(str(tmp_path / "remote"))
    objects.copy_model(md5, "copy/model")
    assert hash_folder("copy/model") == md5
    assert objects.push_model(md5, "copy/model") == 4
    assert objects.push_model(md5, "copy/model") == 0
    # A file that arrived only in part is sent again.
    part = get_path(tmp_path / "remote", hashlib.md5(b"a photo").hexdigest())
    part.chmod(0o644)
    part.write_bytes(b"a ph")
    assert objects.push_model(md5, "copy/model") == 1


def test_a_damaged_or_missing_object_is_taken_from_the_remote(cache, tmp_path):
    store_folder(tmp_path / "remote", FILES)
    md5 = store_folder(cache, FILES)
    get_path(cache, hashlib.md5(b"a photo").hexdigest()).write_bytes(b"damaged")
    get_path(cache, hashlib.md5(b"another").hexdigest()).unlink()
    with pytest.raises(BadInput, match="damaged in the DVC cache .* no remote is set"):
        objects.copy_model(md5, "first")
    set_remote(str(tmp_path / "remote"))
    objects.copy_model(md5, "model")
    assert hash_folder("model") == md5


@pytest.mark.parametrize(
    "name", ["../../evil", "/tmp/evil", "a/../../evil", "..", "", ".", "a\0b", "/", 7, None]
)
def test_a_listing_that_names_a_file_outside_is_refused(cache, tmp_path, name):
    listing = [{"md5": store_bytes(cache, b"evil"), "relpath": name}]
    md5 = store_bytes(cache, json.dumps(listing).encode(), ".dir")
    with pytest.raises(BadInput) as refused:
        objects.copy_model(md5, tmp_path / "x/y/model")
    assert len(str(refused.value).splitlines()) == 1
    assert [p.name for p in tmp_path.glob("x/**/*") if p.is_file()] in ([], ["model.json"])


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"{}x", b"7", b"[7]", b'[{"relpath": "a"}]', b'[{"relpath": "a", "md5": 1}]']
    + [b'[{"relpath": "a", "md5": "../../../../../etc/passwd"}]', b"[" * 100_000, b"\xff"],
)
def test_a_listing_that_is_no_listing_is_one_line(cache, content):
    md5 = store_bytes(cache, content, ".dir")
    with pytest.raises(BadInput) as refused:
        objects.copy_model(md5, "model")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_is_also_a_folder_is_one_line(cache):
    md5 = store_folder(cache, {"a": b"file", "a/b": b"in it"})
    with pytest.raises(BadInput):
        objects.copy_model(md5, "model")


class BreakingHandler(http.server.BaseHTTPRequestHandler):
    """A server that announces more bytes than it sends, and closes."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"the beginning")
        self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def test_a_remote_that_breaks_off_or_is_away_is_one_line(cache):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), BreakingHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        set_remote(f"http://127.0.0.1:{server.server_port}/")
        with pytest.raises(BadInput) as refused:
            objects.copy_model("0" * 32 + ".dir", "model")
        server.shutdown()
    assert len(str(refused.value).splitlines()) == 1
    for url in ("s3://bucket/x", "ssh://nobody@127.0.0.1:1/x"):
        set_remote(url)
        with pytest.raises(BadInput) as refused:
            objects.copy_model("0" * 32 + ".dir", url[:3])
        assert len(str(refused.value).splitlines()) == 1
