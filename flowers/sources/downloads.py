"""Bring a file named by a path or a URL onto this machine."""

import hashlib
import os
import tempfile
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pooch
import requests

from flowers.base.errors import BadInput

TIMEOUT = 60
_CHUNK = 2**20


def fetch_file(source, cache, sha256=None, bar=None):
    """Give the path of a local file, or of the download of a URL.

    A download already in `cache` is used again only if `sha256` vouches for it.

    Parameters
    ----------
    source : str
        A path, or a URL with the scheme file, http or https.
    cache : pathlib.Path
        The folder that keeps downloads; made if it is missing.
    sha256 : str, optional
        The digest of the file, 64 hexadecimal digits.
    bar : callable, optional
        Makes a progress bar, as `tqdm.tqdm` does with the keywords `desc` and `total`; it counts
        bytes.

    Returns
    -------
    pathlib.Path
        The local path, which may be a folder if no `sha256` is given, or a file in `cache`.

    Raises
    ------
    BadInput
        If there is no such file, the server fails or sends fewer bytes than it announced, the
        digest differs, or the scheme is another. No part of a download is kept.
    """
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme in ("http", "https"):
        return _downloaded(source, cache, sha256, bar)
    if scheme == "file" or source.lower().startswith("file:"):
        url = urlsplit(source)
        if url.netloc not in ("", "localhost"):
            raise BadInput(f"{source} names another machine: use file:///path, or http(s)")
        source = urllib.request.url2pathname(url.path)
    elif scheme:
        raise BadInput(f"{source} has the scheme {scheme}: use a path, file, http or https")
    path = Path(source).expanduser()
    if not path.exists():
        raise BadInput(
            f"{path.resolve()} does not exist: set the source to a local file or an http(s) URL"
        )
    if sha256:
        if not path.is_file():
            raise BadInput(f"{path.resolve()} is not a file: set no sha256 for a folder")
        _verify(path, sha256, path.resolve())
    return path


def _downloaded(url, cache, sha256, bar):
    name = PurePosixPath(unquote(url.partition("?")[0])).name.replace("\0", "")[-100:] or "download"
    path = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name}"
    if sha256 and path.is_file() and pooch.file_hash(path) == sha256.lower():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as scratch:
        part = Path(scratch, "part")
        # Bytes as they are on the server: the digest is theirs.
        download = pooch.HTTPDownloader(
            progressbar=bar(desc="download", total=1) if bar else False,  # pooch sets the total
            chunk_size=_CHUNK,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        )
        try:
            download(url, str(part), None)
        # A failure of the network or an address that is none; a full disk is neither.
        except (requests.RequestException, ValueError) as error:
            raise BadInput(
                f"{url} cannot be downloaded ({error}): check the address, or set a local file"
            ) from error
        if sha256:
            _verify(part, sha256, url)
        os.replace(part, path)
    return path


def _verify(path, expected, name):
    found = pooch.file_hash(path)
    if found != expected.lower():
        raise BadInput(
            f"{name} has the SHA-256 digest {found}, expected {expected}: "
            "fetch the file again, or set the digest of the file that is meant"
        )
