"""Get a file from a path or a URL."""

import hashlib
import os
import tempfile
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pooch
import requests

from flowers.base.errors import BadInput
from flowers.sources.network import describe_request_error

TIMEOUT = 60
_CHUNK = 2**20


def fetch_file(source, cache, sha256=None, bar=None):
    """Return the path of a local file, or of the download of a URL.

    A download in `cache` is reused only if `sha256` is given and matches.

    Parameters
    ----------
    source : str
        A path, or a URL with the scheme file, http or https.
    cache : pathlib.Path
        The folder of the downloads; made if it is missing.
    sha256 : str, optional
        The expected SHA-256 of the file, 64 hexadecimal digits.
    bar : callable, optional
        Makes a progress bar, as `tqdm.tqdm` does with the keywords `desc` and `total`; it counts
        bytes.

    Returns
    -------
    pathlib.Path
        The local path (a folder only if no `sha256` is given), or a file in `cache`.

    Raises
    ------
    BadInput
        If the file does not exist, the server fails or sends too few bytes, the SHA-256 differs,
        or the scheme is not supported. A partial download is deleted.
    """
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    if scheme in ("http", "https"):
        return _download(source, cache, sha256, bar)
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
    if not (path.is_file() or path.is_dir()):
        raise BadInput(f"{path.resolve()} is not a file: set the source to a local file")
    if sha256:
        if not path.is_file():
            raise BadInput(f"{path.resolve()} is not a file: set no sha256 for a folder")
        _verify(path, sha256, path.resolve())
    return path


def _download(url, cache, sha256, bar):
    name = PurePosixPath(unquote(url.partition("?")[0])).name.replace("\0", "")[-100:] or "download"
    path = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{name}"
    if sha256 and path.is_file() and pooch.file_hash(path) == sha256.lower():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=cache) as scratch:
        part = Path(scratch, "part")
        # Without compression in transfer: the SHA-256 is that of the stored file.
        download = pooch.HTTPDownloader(
            progressbar=bar(desc="download", total=1) if bar else False,  # pooch sets the total
            chunk_size=_CHUNK,
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        )
        try:
            download(url, str(part), None)
        # The network or the address failed; a full disk raises another error.
        except (requests.RequestException, ValueError) as error:
            raise BadInput(
                f"{url} cannot be downloaded ({describe_request_error(error)}): check the address, "
                "or set a local file"
            ) from error
        if sha256:
            _verify(part, sha256, url)
        os.replace(part, path)
    return path


def _verify(path, expected, name):
    actual = pooch.file_hash(path)
    if actual != expected.lower():
        raise BadInput(
            f"{name} has the SHA-256 digest {actual}, expected {expected}: "
            "fetch the file again, or correct the expected digest"
        )
