"""Where photos come from: each source yields (class, file name, bytes), class None for a stray."""

import os
import shutil
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.images.decoding import detect_format
from flowers.sources.archives import is_archive, unpack
from flowers.sources.downloads import fetch_file
from flowers.sources.folders import find_class_folders
from flowers.synthetic.collection import generate_images

NESTED = "an archive inside: unpack it first"
# Bytes of a file name: file systems take 255, and DVC adds to a name while it copies.
_LONGEST_NAME, _LONGEST_SUFFIX = 200, 20


class Unpacked(bytes):
    """Content of a file that nobody else needs: it can be moved, not written once more."""

    path = None

    @classmethod
    def of(cls, path):
        """Read a file."""
        content = cls(path.read_bytes())
        content.path = path
        return content


def iterate_folder(root, origin=None, ours=False):
    """Give the files below `root`, class by class, then the strays.

    Parameters
    ----------
    root : path-like
        A tree with one folder per class, at any depth.
    origin : path-like, optional
        What errors name in place of `root`.
    ours : bool
        Whether nobody else needs the files: their content is `Unpacked` then.

    Yields
    ------
    label : str or None
    name : str
    content : bytes or None
        None of a file that the system does not let us read; of a stray only what tells that it is
        an archive.

    Raises
    ------
    BadInput
        If there is no folder with files, a class folder is empty, or there is an archive and no
        photo.
    """
    root = Path(root)
    by_class, strays = find_class_folders(root)
    origin = origin or root.resolve()
    if name := _archive_alone([*chain(*by_class.values()), *strays]):
        raise BadInput(f"{origin}: it holds an archive ({name}): unpack it once and give that")
    if not by_class:
        raise BadInput(
            f"{origin} has no class folder with files in it: put the photos of each class into a "
            "folder of its own"
        )
    for label, paths in by_class.items():
        if not paths:
            raise BadInput(f"class folder {label!r} of {origin} is empty: fill or delete it")
        for path in paths:
            try:
                content = Unpacked.of(path) if ours else path.read_bytes()
            except OSError:
                content = None
            yield label, path.name, content
    for path in strays:
        head = _head(path)
        yield None, path.relative_to(root).as_posix(), head if is_archive(head) else b""


def _head(path):
    """Read the first bytes of a file, none of a link, a device or what may not be read."""
    if path.is_symlink() or not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError:
        return b""


def _archive_alone(paths):
    """Give the name of the first archive if no file is a photo, else None."""
    found = None
    for path in paths:
        if detect_format(head := _head(path)):
            return None
        found = found or (path.name if is_archive(head) else None)
    return found


def iterate_archive(source, cache, sha256=None, bar=None):
    """Give the files of a zip or tar archive, given by path or URL; see `iterate_folder`.

    Parameters
    ----------
    source : str
        A path or a URL (file, http, https).
    cache : pathlib.Path
        Keeps downloads and, for as long as it is read, the unpacked archive.
    sha256 : str, optional
        The digest that the archive must have.
    bar : callable, optional
        Makes the progress bars; see `flowers.sources.downloads.fetch_file`.
    """
    archive = fetch_file(source, cache, sha256, bar)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        unpack(archive, Path(folder) / "unpacked", bar=bar)
        yield from iterate_folder(Path(folder) / "unpacked", origin=archive, ours=True)


def iterate_synthetic(per_class, near_duplicate_share, wrong_labels, seed, jobs):
    """Give the files of `flowers.synthetic.collection.generate_images`."""
    for path, content in generate_images(per_class, near_duplicate_share, wrong_labels, seed, jobs):
        label, name = path.split("/", 1)
        yield label, name, content


def collect_photos(files, target, review):
    """Write photos into `target`, one folder per class, and list the files that are none.

    Parameters
    ----------
    files : iterable of (str or None, str, bytes or None)
        Class, file name and content; see `iterate_folder`.
    target : pathlib.Path
    review : flowers.sources.review.Review
        What a person has said of some photos.

    Returns
    -------
    photos : collections.Counter
        The number of photos by class.
    rejected : list of dict
        The "path" and "reason" of each other file.
    reviewed : dict
        As of ``Review.figures``.

    Raises
    ------
    BadInput
        If fewer than two classes are found, one has no photo, or the name of one is no text.
    """
    photos, rejected = Counter(), []
    classes = set()
    for label, name, content in files:
        classes |= {label} - {None}
        if label is not None and label != shorten_name(make_printable(label)):
            raise BadInput(f"class folder {label!r} has too odd or too long a name: rename it")
        if reason := find_fault(label, content):
            path = make_printable(f"{label}/{name}" if label else name)
            rejected.append({"path": path, "reason": reason})
        elif kept := review.label_of(label, content):
            photos[kept] += 1
            path = make_free_path(target / kept, name)
            if isinstance(content, Unpacked):
                shutil.move(content.path, path)
            else:
                path.write_bytes(content)
    reviewed = review.figures(classes)
    empty = sorted(classes - photos.keys())
    if empty or len(photos) < 2:
        found = f"classes {sorted(classes)}, without a photo {empty}"
        first = f"; such as {rejected[0]['path']}: {rejected[0]['reason']}" if rejected else ""
        raise BadInput(f"{found}{first}: give two folders with photos at least, and no other")
    return photos, rejected, reviewed


def find_fault(label, content):
    """Why a file cannot be a photo of a class, told by its first bytes, or None.

    Returns
    -------
    str or None
        "cannot be read", "not in a class folder", "empty", "not a JPEG, PNG or WEBP", or `NESTED`.
    """
    if content is None:
        return "cannot be read"
    if is_archive(content):
        return NESTED
    if label is None:
        return "not in a class folder"
    if not content:
        return "empty"
    return None if detect_format(content) else "not a JPEG, PNG or WEBP"


def make_printable(name):
    """Give a name as text of one line, any other character "_": no UTF-8, no print, a backslash."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() and c not in "\ufffd\\" else "_" for c in text)


def shorten_name(name, bytes_more=0):
    """Give the beginning of a name that leaves room for so many bytes more."""
    return name.encode()[: _LONGEST_NAME - bytes_more].decode(errors="ignore")


def make_free_path(folder, name):
    """Make a free path for `name` in `folder`, which is made; a taken name gets a number.

    Folders of one class may hold the same name twice, as train/Tulip and test/Tulip often do.
    The name is made `make_printable`, and shorter if it is long: tables and DVC have to take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = make_printable(name)
    stem, suffix = Path(name).stem, Path(name).suffix
    if len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    stem = shorten_name(stem, len(suffix.encode()))
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path
