"""Unpack a zip or tar archive of photos that is not trusted."""

import bz2
import errno
import gzip
import lzma
import os
import re
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from flowers.base.errors import BadInput

MAX_EXPANSION = 200
# Below this size an archive may expand as it likes: plain pictures compress a thousandfold.
FREE_BYTES = 64 * 2**20
_MAX_NAME = 1000
_MAX_PART = 255
# A tar archive is padded to a whole record, which is far shorter.
_MAX_PADDING = 64 * 2**20
_CHUNK = 2**20
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_CORRUPT = (
    *(EOFError, IndexError, NotImplementedError, OverflowError, RuntimeError, ValueError),
    *(lzma.LZMAError, struct.error, tarfile.TarError, zipfile.BadZipFile, zlib.error),
)


def unpack(archive, target, max_bytes=8 * 2**30, max_members=200_000, bar=None):
    """Unpack a zip or tar archive, whole or not at all.

    The format is told by content: zip, or tar plain or compressed with gzip, bzip2 or xz. Only
    files and folders are unpacked, with default permissions. The limit on bytes is the lower of
    `max_bytes` and, above `FREE_BYTES`, `MAX_EXPANSION` times the size of the archive; bytes
    are counted as they are written, whatever the headers say.

    Parameters
    ----------
    archive : pathlib.Path
    target : pathlib.Path
        The folder to make; it must not exist, or be empty.
    max_bytes : int
        Most bytes to write.
    max_members : int
        Most files and folders to accept.
    bar : callable, optional
        Makes a progress bar, as `tqdm.tqdm` does with the keywords `desc` and `total`; it counts
        bytes.

    Returns
    -------
    int
        The number of files written.

    Raises
    ------
    BadInput
        If `target` is taken; if the archive is corrupt, encrypted or too large; or if a member
        is a link or a device, leads out of `target`, or has the same name as another, ignoring
        case. Nothing is left behind.
    """
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise BadInput(f"{target} exists: remove it, or name a new folder to unpack into")
    try:
        limit = min(max_bytes, max(FREE_BYTES, MAX_EXPANSION * archive.stat().st_size))
        opened = archive.open("rb")
    except OSError as error:
        raise BadInput(f"{archive.resolve()} cannot be opened: {error.strerror}") from error
    with ExitStack() as stack:
        file = stack.enter_context(opened)
        with _corruption_refused(archive):
            folders, files, size = _plan(_members(file, stack), archive, limit, max_members)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A folder inside the temporary one, which only its owner may read, to take the place
        # of target with default permissions.
        scratch = stack.enter_context(
            tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
        )
        root = Path(scratch, "unpacked")
        root.mkdir()
        # Each folder once: most files share theirs.
        for folder in dict.fromkeys([*folders, *(path.parent for path, _ in files)]):
            (root / folder).mkdir(parents=True, exist_ok=True)
        shown = stack.enter_context(bar(desc="unpack", total=size)) if bar else None
        written = 0
        for path, opener in files:
            with (root / path).open("xb") as out:
                for chunk in _chunks(opener, archive, path):
                    written += len(chunk)
                    if written > limit:
                        raise _too_large(archive, path, limit)
                    out.write(chunk)
                    if shown is not None:
                        shown.update(len(chunk))
        os.replace(root, target)
    return len(files)


def is_archive(head):
    """Whether a file is an archive, told by its first 262 bytes."""
    magics = (b"PK\3\4", b"Rar!", b"7z\xbc\xaf\x27\x1c", *_COMPRESSED)
    return head.startswith(magics) or head[257:262] == b"ustar"


def _plan(members, archive, limit, max_members):
    """Check every header; give folders, (path, function to open it) of files, and all bytes."""
    folders, files, total = [], [], 0
    # The root is taken from the start, so that a file without a name is refused.
    taken_by_files, taken_by_folders = set(), {PurePosixPath()}
    for count, (name, what, size, opener) in enumerate(members, 1):
        if count > max_members:
            raise BadInput(f"{archive} has more than {max_members} members: split it")
        path = PurePosixPath(name)
        fault = _fault_of_name(name, path) or (what if what not in ("file", "folder") else None)
        key = PurePosixPath(unicodedata.normalize("NFC", str(path)).casefold())
        if what == "file":
            total += size
            if key in taken_by_files or key in taken_by_folders:
                fault = fault or "has a name that is taken, ignoring case"
            taken_by_files.add(key)
            if key.parent not in taken_by_folders:
                taken_by_folders.update(key.parents)
            files.append((path, opener))
        else:
            taken_by_folders.update((key, *key.parents))
            folders.append(path)
        if fault:
            raise BadInput(f"{archive}: member {name!r} {fault}: make the archive without it")
        if total > limit:
            raise _too_large(archive, name, limit)
    if clash := taken_by_files & taken_by_folders:
        raise BadInput(
            f"{archive}: member {str(min(clash))!r} is both a file and a folder: rename one"
        )
    return folders, files, total


def _fault_of_name(name, path):
    if "\\" in name or "\0" in name:
        return "has a backslash or NUL in its name"
    if path.is_absolute() or re.match(r"[A-Za-z]:", name):
        return "has an absolute name"
    if ".." in path.parts:
        return "leads out of the archive"
    longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    if len(os.fsencode(name)) > _MAX_NAME or longest > _MAX_PART:
        return "has too long a name"
    return None


def _members(file, stack):
    """Yield name, "file" or "folder" or a fault, size as claimed, and what opens each member."""
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"PK"):
        return _zip_members(stack.enter_context(zipfile.ZipFile(file)))
    for magic, decompress in _COMPRESSED.items():
        if head.startswith(magic):
            file = stack.enter_context(decompress(file))
    return _tar_members(stack.enter_context(tarfile.open(fileobj=file, mode="r:")), file)


def _zip_members(archive):
    for info in archive.infolist():
        mode = stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & 0x41:
            what = "is encrypted"
        elif mode == stat.S_IFLNK:
            what = "is a symbolic link"
        elif mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "is neither a file nor a folder"
        else:
            what = "folder" if info.is_dir() else "file"
        # orig_filename still has what follows a NUL.
        yield info.orig_filename, what, info.file_size, partial(archive.open, info)


def _tar_members(archive, stream):
    for info in archive:
        yield info.name, _what(info), info.size, partial(archive.extractfile, info)
    # tarfile takes a broken header for the end. The true end is a block of zeros, and only
    # reading on to the last byte makes the decompressor compare its checksum.
    stream.seek(archive.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it does not end as a tar archive does")
    tail = 0
    while chunk := stream.read(_CHUNK):
        tail += len(chunk)
        if tail > _MAX_PADDING:
            raise tarfile.ReadError("it goes on after its end")


def _what(info):
    # Links within the archive pass the filter, and Python before 3.11.4 has no filter.
    if info.issym() or info.islnk():
        return "is a link"
    if not (info.isfile() or info.isdir()):
        return "is neither a file nor a folder"
    if hasattr(tarfile, "data_filter"):
        try:
            tarfile.data_filter(info, os.devnull)  # nothing lies below it
        except tarfile.FilterError as error:
            return f"is refused ({error})"
    return "file" if info.isfile() else "folder"


def _chunks(opener, archive, name):
    """Yield the content of a member as bytes; raise BadInput if it is corrupt."""
    with _corruption_refused(archive, name), opener() as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


@contextmanager
def _corruption_refused(archive, name=None):
    """Turn what the readers raise on bad data into BadInput naming archive and member."""
    where = f"{archive}: member {str(name)!r}" if name else f"{archive}"
    try:
        yield
    except BadInput:
        raise
    except _CORRUPT as error:
        raise BadInput(
            f"{where} is corrupt or not a zip or tar archive ({error}): fetch it again"
        ) from error
    except OSError as error:
        # Bad data is an OSError without a number from a decompressor, and a wrong offset in a
        # zip an invalid seek; any other is a fault of the machine.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise BadInput(f"{where} is corrupt ({error}): fetch it again") from error


def _too_large(archive, name, limit):
    return BadInput(
        f"{archive}: with member {str(name)!r} it unpacks to more than {limit} bytes: "
        "check where it comes from, or split it"
    )
