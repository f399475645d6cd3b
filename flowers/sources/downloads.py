"""Bring a file named by a path or a URL onto this machine."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from flowers.errors import BadInput

TIMEOUT = 60
_CHUNK = 2**20


def obtain(source, cache, sha256=None, progress=None):
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
    progress : callable, optional
        Called with the number of bytes newly downloaded.

    Returns
    -------
    pathlib.Path
        The local path, which may be a folder if no `sha256` is given, or a file in `cache`.

    Raises
    ------
    BadInput
        If there is no such file, the server fails or sends another number of bytes than it
        announced, the digest differs, or the scheme is another. No part of a download is kept.
    """
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme in ("http", "https"):
        return _downloaded(source, cache, sha256, progress)
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
        with path.open("rb") as file:
            _verify(hashlib.file_digest(file, "sha256").hexdigest(), sha256, path.resolve())
    return path


def _downloaded(url, cache, sha256, progress):
    name = PurePosixPath(unquote(urlsplit(url).path)).name.replace("\0", "")[-100:] or "download"
    path = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name}"
    if sha256 and path.is_file():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower():
                return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as scratch:
        part = Path(scratch, "part")
        digest = hashlib.sha256()
        with part.open("wb") as out:
            for chunk in _chunks(url):
                out.write(chunk)
                digest.update(chunk)
                if progress:
                    progress(len(chunk))
        if sha256:
            _verify(digest.hexdigest(), sha256, url)
        os.replace(part, path)
    return path


def _chunks(url):
    """Yield the body of `url`; a failure of the network, and no other, becomes BadInput."""
    received = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            announced = response.headers.get("Content-Length")
            while chunk := response.read(_CHUNK):
                received += len(chunk)
                yield chunk
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BadInput(
            f"{url} cannot be downloaded ({error}): check the address, or set a local file"
        ) from error
    if announced is not None and announced != str(received):
        raise BadInput(f"{url}: {received} of {announced} bytes came: download it again")


def _verify(found, expected, name):
    if found != expected.lower():
        raise BadInput(
            f"{name} has the SHA-256 digest {found}, expected {expected}: "
            "fetch the file again, or set the digest of the file that is meant"
        )
