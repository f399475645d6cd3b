"""Unpack a zip or tar archive that is not trusted."""

import bz2
import errno
import gzip
import lzma
import os
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path, PurePosixPath

from flowers.base.errors import BadInput, RejectedImage

MAX_EXPANSION = 200
FREE_BYTES = 64 * 2**20  # below this size the expansion is free: plain images compress very well
_CHUNK = 2**20
_UTF8_FLAG = 0x800  # of a zip member: its name is UTF-8
_UNIX = 3  # the system of a zip member that has the mode of a file
_LINK = "a link or a device in the archive"
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
# What zipfile, tarfile and the decompressors raise on damaged data; OSError without a number too.
_CORRUPT = (EOFError, IndexError, OSError, OverflowError, RuntimeError, ValueError, struct.error)
_CORRUPT += (lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error)
_NAME_ERRORS = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG)


def unpack(archive, target, max_bytes=8 * 2**30, max_members=200_000, bar=None):
    """Unpack a zip or tar archive (plain, gzip, bzip2 or xz), recognised by its content.

    A member that is unsafe or corrupt is left out. Files get default permissions.

    Parameters
    ----------
    archive, target : pathlib.Path
        The file, and the folder to make.
    max_bytes, max_members : int
        Limits on the unpacked size and on the number of files and folders. Above `FREE_BYTES` the
        size is also limited to `MAX_EXPANSION` times the size of the archive.
    bar : callable, optional
        Makes a progress bar that counts bytes, such as ``tqdm.tqdm``.

    Returns
    -------
    dict of str to str
        The names of the members that were left out, with the reason.

    Raises
    ------
    BadInput
        If the archive cannot be read to its end or exceeds a limit. Nothing is left behind.
    """
    rejected = {}
    total = 0
    names = set()
    target.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(archive.open("rb"))
        except OSError as error:
            raise BadInput(f"{archive.resolve()} cannot be opened: {error.strerror}") from error
        limit = min(max_bytes, max(FREE_BYTES, MAX_EXPANSION * archive.stat().st_size))
        scratch = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
        root = Path(stack.enter_context(scratch), "unpacked")
        root.mkdir()
        progress = stack.enter_context(bar(desc="unpack")) if bar else None
        for count, (name, size, opener) in enumerate(_iterate_members(stream, archive, stack), 1):
            total += size
            if count > max_members or total > limit:
                raise BadInput(
                    f"{archive} has more than {max_members} members or {limit} bytes at member "
                    f"{name!r}: check where it comes from, or split it"
                )
            try:
                _write_member(root, name, opener, names)
            except RejectedImage as error:
                rejected[name] = error.reason
            if progress is not None:
                progress.update(size)
        os.replace(root, target)
    return rejected


def is_archive(head):
    """Whether a file is an archive, by its first 262 bytes."""
    magics = (b"PK\3\4", b"Rar!", b"7z\xbc\xaf\x27\x1c", *_COMPRESSED)
    return head.startswith(magics) or head[257:262] == b"ustar"


def _iterate_members(stream, archive, stack):
    """Yield name, unpacked size and a function that opens the file; None for a folder."""
    head = stream.read(6)
    stream.seek(0)
    try:
        if head.startswith(b"PK"):
            zipped = stack.enter_context(zipfile.ZipFile(stream))
            for info in zipped.infolist():
                name = _read_zip_name(info)
                opener = None if name.endswith("/") else partial(_open_zip_member, zipped, info)
                yield name, info.file_size, opener
            return
        for magic, decompress in _COMPRESSED.items():
            if head.startswith(magic):
                stream = stack.enter_context(decompress(stream))
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            for info in tar:
                # extractfile returns None for a device and follows a link: neither is opened.
                opener = None if info.isdir() else partial(_open_tar_member, tar, info)
                yield info.name, info.size, opener
            _check_end(stream)
    except _CORRUPT as error:
        if getattr(error, "errno", None) not in (None, errno.EINVAL):
            raise
        raise BadInput(f"{archive} is no zip or tar archive, or is corrupt ({error})") from error


def _read_zip_name(info):
    """Return the name with the separator "/"; some programs on Windows write a backslash."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        with suppress(UnicodeError):  # macOS and others write UTF-8 without the flag for it
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def _open_zip_member(zipped, info):
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.create_system == _UNIX and kind not in (0, stat.S_IFREG):
        raise RejectedImage(_LINK)
    return zipped.open(info)


def _open_tar_member(tar, info):
    if not info.isreg():
        raise RejectedImage(_LINK)
    return tar.extractfile(info)


def _check_end(stream):
    # tarfile takes a broken header for the end of the archive. The true end is followed by zeros,
    # and only reading to the last byte makes the decompressor compare its checksum.
    complete = False
    while chunk := stream.read(_CHUNK):
        complete = not chunk.strip(b"\0")
        if not complete:
            break
    if not complete:
        raise tarfile.ReadError("a header is broken, or the end is missing")


def _write_member(root, name, opener, names):
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:|.*[\\\0]", name, re.S):
        raise RejectedImage("an unsafe name in the archive")
    part = root.with_name("part")
    try:
        (root / path if opener is None else (root / path).parent).mkdir(parents=True, exist_ok=True)
        if opener is None:
            return
        # macOS has no two files in a folder that differ by case alone.
        key = (path.parent, unicodedata.normalize("NFC", path.name).casefold())
        if key in names or (root / path).exists():
            raise RejectedImage("a name that the archive has twice, perhaps in another case")
        with opener() as member, part.open("wb") as out:
            shutil.copyfileobj(member, out, _CHUNK)
        os.replace(part, root / path)
        names.add(key)
    except _CORRUPT as error:
        number = getattr(error, "errno", None)
        if number in _NAME_ERRORS:
            raise RejectedImage("a name in the archive that cannot be stored") from error
        if isinstance(error, RejectedImage) or number not in (None, errno.EINVAL):
            raise
        raise RejectedImage("corrupt or encrypted in the archive") from error
