"""Read the members of a zip or tar archive, and tell bad data from a failing machine."""

import bz2
import errno
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from functools import partial

from flowers.errors import BadInput

_CHUNK = 2**20
# A tar archive is padded to a whole record, which is far shorter.
_MAX_PADDING = 64 * 2**20
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_CORRUPT = (
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def is_archive(head):
    """Whether a file that begins with `head`, 512 bytes or more of it, is an archive by its looks.

    Parameters
    ----------
    head : bytes

    Returns
    -------
    bool
    """
    return head.startswith((b"PK\3\4", *_COMPRESSED)) or head[257:262] == b"ustar"


def members(file, stack):
    """Yield the header of every member of an archive, whose format is told by content.

    Parameters
    ----------
    file : binary file
        The archive, at its beginning; must be seekable.
    stack : contextlib.ExitStack
        Closes the archive, which must be open while members are read.

    Yields
    ------
    name : str
    what : str
        "file", "folder", or why it is neither.
    size : int
        In bytes, as the header claims.
    opener : callable
        Gives the content as a binary file.
    """
    head = file.read(6)
    file.seek(0)
    if head.startswith(b"PK"):
        return _zip_entries(stack.enter_context(zipfile.ZipFile(file)))
    for magic, decompress in _COMPRESSED.items():
        if head.startswith(magic):
            file = stack.enter_context(decompress(file))
    return _tar_entries(stack.enter_context(tarfile.open(fileobj=file, mode="r:")), file)


def _zip_entries(archive):
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


def _tar_entries(archive, stream):
    for info in archive:
        if info.issym() or info.islnk():
            what = "is a link"
        elif info.isfile() or info.isdir():
            what = "file" if info.isfile() else "folder"
        else:
            what = "is neither a file nor a folder"
        yield info.name, what, info.size, partial(archive.extractfile, info)
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


def chunks(opener, archive, name):
    """Yield the content of a member as bytes; raise BadInput if it is corrupt."""
    with corruption_refused(archive, name), opener() as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


@contextmanager
def corruption_refused(archive, name=None):
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
