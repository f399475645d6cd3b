"""Where photos come from: each source yields (class, file name, bytes), class None for a stray."""

import tempfile
from pathlib import Path

from flowers.drawn.collection import drawn_set
from flowers.errors import BadInput
from flowers.photos.decoding import kind
from flowers.sources.archives import unpack
from flowers.sources.downloads import obtain
from flowers.sources.folders import photos_by_class


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

    Raises
    ------
    BadInput
        If there is no folder with files.
    """
    root = Path(root)
    by_class, strays = photos_by_class(root)
    if not by_class:
        raise BadInput(f"{root.resolve()} has no class folder with files in it")
    for label, paths in by_class.items():
        if not paths:
            raise BadInput(
                f"class folder {label!r} of {root.resolve()} is empty: fill or delete it"
            )
        for path in paths:
            yield label, path.name, path.read_bytes()
    for path in strays:
        yield None, path.relative_to(root).as_posix(), b""


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
        "not in a class folder", "empty" or "not a JPEG, PNG or WEBP".
    """
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
