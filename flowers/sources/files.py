"""Where photos come from: each source yields (class, file name, bytes), class None for a stray."""

import tempfile
from pathlib import Path

from flowers.drawn.collection import drawn_set
from flowers.errors import BadInput
from flowers.photos.decoding import kind
from flowers.sources.archive_members import is_archive
from flowers.sources.archives import unpack
from flowers.sources.downloads import obtain
from flowers.sources.folders import photos_by_class

NESTED = "an archive inside: unpack it first"


def folder_files(root):
    """Give the files below `root`, class by class, then the strays.

    Parameters
    ----------
    root : path-like
        A tree with one folder per class, at any depth.

    Yields
    ------
    label : str or None
    name : str
    content : bytes
        Of a stray only what tells that it is an archive.

    Raises
    ------
    BadInput
        If there is no folder with files.
    """
    root = Path(root)
    by_class, strays = photos_by_class(root)
    inner = {path: _head(path) for path in strays if is_archive(_head(path))}
    if not by_class:
        said = "".join(f"; {p.relative_to(root)} is {NESTED}" for p in list(inner)[:1])
        raise BadInput(f"{root.resolve()} has no class folder with files in it{said}")
    for label, paths in by_class.items():
        if not paths:
            raise BadInput(
                f"class folder {label!r} of {root.resolve()} is empty: fill or delete it"
            )
        for path in paths:
            yield label, path.name, path.read_bytes()
    for path in strays:
        yield None, path.relative_to(root).as_posix(), inner.get(path, b"")


def _head(path):
    """Read the first bytes of a file, none of a link or a device."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(512)


def archive_files(source, cache, sha256=None, progress=None):
    """Give the files of a zip or tar archive, given by path or URL; see `folder_files`.

    Parameters
    ----------
    source : str
        A path or a URL (file, http, https).
    cache : pathlib.Path
        Keeps downloads and, for as long as it is read, the unpacked archive.
    sha256 : str, optional
        The digest that the archive must have.
    progress : callable, optional
        Called with the number of new bytes.
    """
    archive = obtain(source, cache, sha256, progress)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        unpack(archive, Path(folder) / "unpacked", progress=progress)
        yield from folder_files(Path(folder) / "unpacked")


def drawn_files(per_class, twin_share, conflicts, seed, jobs):
    """Give the files of `flowers.drawn.collection.drawn_set`."""
    for path, content in drawn_set(per_class, twin_share, conflicts, seed, jobs):
        label, name = path.split("/", 1)
        yield label, name, content


def fault(label, content):
    """Why a file cannot be a photo of a class, told by its first bytes, or None.

    Returns
    -------
    str or None
        "not in a class folder", "empty", "not a JPEG, PNG or WEBP", or `NESTED`.
    """
    if is_archive(content):
        return NESTED
    if label is None:
        return "not in a class folder"
    if not content:
        return "empty"
    return None if kind(content) else "not a JPEG, PNG or WEBP"


def place(folder, name):
    """Make a free path for `name` in `folder`, which is made; a taken name gets a number.

    Folders of one class may hold the same name twice, as train/Tulip and test/Tulip often do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return path
