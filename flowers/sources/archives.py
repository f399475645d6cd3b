"""Unpack an archive of photos that is not trusted."""

import os
import re
import tempfile
import unicodedata
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from flowers.errors import BadInput
from flowers.sources.archive_members import chunks, corruption_refused, members

MAX_EXPANSION = 200
# Below this size an archive may expand as it likes: plain pictures compress a thousandfold.
FREE_BYTES = 64 * 2**20
_MAX_NAME = 1000
_MAX_PART = 255


def unpack(archive, target, max_bytes=8 * 2**30, max_members=200_000, progress=None):
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
    progress : callable, optional
        Called with the number of bytes newly written.

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
        with corruption_refused(archive):
            folders, files = _plan(members(file, stack), archive, limit, max_members)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A folder inside the temporary one, which only its owner may read, to take the place
        # of target with default permissions.
        scratch = stack.enter_context(
            tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
        )
        root = Path(scratch, "unpacked")
        root.mkdir()
        for path in folders:
            (root / path).mkdir(parents=True, exist_ok=True)
        written = 0
        for path, opener in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            with (root / path).open("xb") as out:
                for chunk in chunks(opener, archive, path):
                    written += len(chunk)
                    if written > limit:
                        raise _too_large(archive, path, limit)
                    out.write(chunk)
                    if progress:
                        progress(len(chunk))
        os.replace(root, target)
    return len(files)


def _plan(found, archive, limit, max_members):
    """Check every header; give the folders and the (path, function to open it) of the files."""
    folders, files, total = [], [], 0
    # The root is taken from the start, so that a file without a name is refused.
    taken_by_files, taken_by_folders = set(), {PurePosixPath()}
    for count, (name, what, size, opener) in enumerate(found, 1):
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
    return folders, files


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


def _too_large(archive, name, limit):
    return BadInput(
        f"{archive}: with member {str(name)!r} it unpacks to more than {limit} bytes: "
        "check where it comes from, or split it"
    )
