"""Iterate over the files of a source, and collect its images into one folder per class.

Each source yields (class, file name, content). The class is None for a file outside the class
folders; the content is bytes, or a `RejectedImage` if the file cannot be used.
"""

import os
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

from flowers.base.errors import BadInput, RejectedImage
from flowers.images.decoding import check_format
from flowers.sources.archives import is_archive, unpack
from flowers.sources.downloads import fetch_file
from flowers.synthetic.collection import generate_images

NESTED = "an archive inside: unpack it first"
_HEAD_BYTES = 512
# File systems take names of 255 bytes, and DVC extends a name while it copies.
_MAX_NAME_BYTES = 200
_MAX_SUFFIX_BYTES = 20


def find_class_folders(root):
    """List the files of every class folder, wherever the folders are nested.

    A class folder contains files and no other class folder, and its name is the class. An empty
    folder is a class without images. Folders of the same name are one class. Hidden files, hidden
    folders and ``__MACOSX`` are ignored; a folder that contains nothing else is not a class.

    Parameters
    ----------
    root : pathlib.Path
        The folder to search. It is never a class itself.

    Returns
    -------
    by_class : dict of str to list of pathlib.Path
        Classes by name; the files of each sorted by their POSIX path below `root`.
    strays : list of pathlib.Path
        Files outside class folders, links (which are not followed) and devices, sorted in the
        same way.

    Raises
    ------
    BadInput
        If `root` is not a folder.
    """
    if not root.is_dir():
        raise BadInput(f"{root.resolve()} is not a folder: name the folder of the class folders")

    by_class = {}
    strays = []
    parents_of_classes = {root}
    for folder, subfolders, names in os.walk(root, topdown=False, onerror=_raise_error):
        folder = Path(folder)
        if any(map(_is_ignored, folder.relative_to(root).parts)):
            continue
        paths = [folder / name for name in names + subfolders if not _is_ignored(name)]
        files = [path for path in paths if path.is_file() and not path.is_symlink()]
        strays += [
            path for path in paths if path.is_symlink() or not (path.is_file() or path.is_dir())
        ]
        if folder in parents_of_classes:
            strays += files
        elif files or (not (names or subfolders) and _is_class_parent(folder.parent, root)):
            by_class.setdefault(folder.name, []).extend(files)
            parents_of_classes.update(folder.parents)
    by_class = {name: sorted(by_class[name], key=Path.as_posix) for name in sorted(by_class)}
    return by_class, sorted(strays, key=Path.as_posix)


def _is_class_parent(parent, root):
    """Whether an empty folder in `parent` is a class, rather than a part of a class folder."""
    return parent == root or not any(path.is_file() for path in parent.iterdir())


def _is_ignored(name):
    return name.startswith(".") or name == "__MACOSX"


def _raise_error(error):
    raise error


def iterate_folder(root, display_name=None, delete=False):
    """Yield the files below `root`, class by class, then those outside the class folders.

    Parameters
    ----------
    root : path-like
        A tree with one folder per class, at any depth.
    display_name : path-like, optional
        The name of the source in errors, in place of `root`.
    delete : bool
        Delete each file after reading it.

    Yields
    ------
    label : str or None
    name : str
    content : bytes or RejectedImage

    Raises
    ------
    BadInput
        If there is no class folder, a class folder is empty, or there are archives but no images.
    """
    root = Path(root)
    by_class, strays = find_class_folders(root)
    source = display_name or root.resolve()
    if name := _find_only_archive([*chain(*by_class.values()), *strays]):
        raise BadInput(f"{source}: it holds an archive ({name}): unpack it once and give that")
    if not by_class:
        raise BadInput(
            f"{source} has no class folder with files in it: put the photos of each class into a "
            "folder of its own"
        )
    for label, paths in by_class.items():
        if not paths:
            raise BadInput(f"class folder {label!r} of {source} is empty: fill or delete it")
        for path in paths:
            try:
                content = path.read_bytes()
            except OSError:
                content = RejectedImage("cannot be read")
            if delete:
                path.unlink()
            yield label, path.name, content
    for path in strays:
        nested = is_archive(_read_head(path))
        reason = NESTED if nested else "not in a class folder"
        yield None, path.relative_to(root).as_posix(), RejectedImage(reason)


def _read_head(path):
    """Read the first bytes of a file; none of a link, a device or an unreadable file."""
    if path.is_symlink() or not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def _find_only_archive(paths):
    """Return the name of the first archive if no file is an image, otherwise None."""
    archive = None
    for path in paths:
        head = _read_head(path)
        if is_archive(head):
            archive = archive or path.name
        elif find_fault(head) is None:
            return None
    return archive


def iterate_archive(source, cache, sha256=None, bar=None):
    """Yield the files of a zip or tar archive; see `iterate_folder`.

    Parameters
    ----------
    source : str
        A path or a URL (file, http, https).
    cache : pathlib.Path
        Keeps downloads and, while it is read, the unpacked archive.
    sha256 : str, optional
        The expected SHA-256 of the archive.
    bar : callable, optional
        Makes the progress bars; see `flowers.sources.downloads.fetch_file`.
    """
    archive = fetch_file(source, cache, sha256, bar)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        root = Path(folder) / "unpacked"
        rejected = unpack(archive, root, bar=bar)
        if rejected and not any(path.is_file() for path in root.rglob("*")):
            name, reason = next(iter(rejected.items()))
            raise BadInput(f"{archive}: no file can be unpacked, such as {name!r}: {reason}")
        yield from iterate_folder(root, display_name=archive, delete=True)
    for name, reason in rejected.items():
        yield None, name, RejectedImage(reason)


def iterate_synthetic(per_class, near_duplicate_share, wrong_labels, seed, jobs):
    """Yield the files of `flowers.synthetic.collection.generate_images`."""
    for path, content in generate_images(per_class, near_duplicate_share, wrong_labels, seed, jobs):
        label, name = path.split("/", 1)
        yield label, name, content


def collect_photos(files, target, review):
    """Write images into `target`, one folder per class, and list the rejected files.

    Parameters
    ----------
    files : iterable of (str or None, str, bytes or RejectedImage)
        Class, file name and content; see `iterate_folder`.
    target : pathlib.Path
    review : flowers.sources.review.Review

    Returns
    -------
    photos : collections.Counter
        The number of images by class.
    rejected : list of dict
        The "path" and "reason" of each rejected file.
    reviewed : dict
        See ``Review.count_matches``.

    Raises
    ------
    BadInput
        If there are fewer than two classes, or a class has no image or an unsuitable name.
    """
    photos = Counter()
    rejected = []
    classes = set()
    for label, name, content in files:
        classes |= {label} - {None}
        if label is not None and label != shorten_name(make_printable(label)):
            raise BadInput(f"class folder {label!r} has too odd or too long a name: rename it")
        if reason := find_fault(content):
            path = make_printable(f"{label}/{name}" if label else name)
            rejected.append({"path": path, "reason": reason})
        elif reviewed_label := review.get_label(label, content):
            photos[reviewed_label] += 1
            make_free_path(target / reviewed_label, name).write_bytes(content)
    reviewed = review.count_matches(classes)
    empty = sorted(classes - photos.keys())
    if empty or len(photos) < 2:
        message = f"classes {sorted(classes)}, without a photo {empty}"
        if rejected:
            message += f"; such as {rejected[0]['path']}: {rejected[0]['reason']}"
        raise BadInput(f"{message}: give two folders with photos at least, and no other")
    return photos, rejected, reviewed


def find_fault(content):
    """Return why a file is rejected by its first bytes, or None if it can be an image."""
    if isinstance(content, RejectedImage):
        return str(content)
    if is_archive(content):
        return NESTED
    try:
        check_format(content)
    except RejectedImage as error:
        return str(error)
    return None


def make_printable(name):
    """Replace what is not UTF-8, not printable or a backslash by "_"."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() and c not in "\ufffd\\" else "_" for c in text)


def shorten_name(name, reserved_bytes=0):
    """Cut a name so that it and `reserved_bytes` more fit into a file name."""
    return name.encode()[: _MAX_NAME_BYTES - reserved_bytes].decode(errors="ignore")


def make_free_path(folder, name):
    """Make `folder` and return a free path for `name` in it; a taken name gets a number.

    Folders of one class may hold the same name twice, as train/Tulip and test/Tulip often do. The
    name is made printable and short because tables and DVC have to store it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = make_printable(name)
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        stem = name
        suffix = ""
    stem = shorten_name(stem, len(suffix.encode()))
    path = folder / f"{stem}{suffix}"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}{suffix}"
        number += 1
    return path
