"""Iterate over the files of a source, and collect its images into one folder per class.

Each source yields `SourceFile` items. The class is None for a file that has none; the content is
bytes, or a `RejectedImage` if the file cannot be used.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from flowers.base.errors import BadInput, RejectedImage
from flowers.sources.archives import is_archive, unpack
from flowers.sources.downloads import fetch_file
from flowers.sources.folders import (
    HEAD_BYTES,
    NESTED,
    Member,
    find_class_folders,
    find_fault,
    list_tree,
    read_head,
)
from flowers.sources.label_table import find_label_table, match_label_table
from flowers.sources.names import PARTS, make_free_path, make_printable, normalise_label
from flowers.synthetic.collection import generate_images

STRAY = "not in a class folder"


class SourceFile(NamedTuple):
    """A file of a source.

    Attributes
    ----------
    label : str or None
    name : str
    content : bytes or RejectedImage
    part : str
        "train", "validation", "test", or "" if the source has no split of its own.
    place : str
        Path in the folder or archive, or "".
    """

    label: str | None
    name: str
    content: bytes | RejectedImage
    part: str = ""
    place: str = ""


def find_members(root, ignore=(), source=None):
    """Find the photos of a folder: those of a ``labels.csv``, or of one folder per class.

    Parameters
    ----------
    root, ignore, source
        See `flowers.sources.folders.list_tree`.

    Returns
    -------
    members : list of flowers.sources.folders.Member
        The files of the classes, by class and path.
    rejected : dict of str to str
        Other files by their path below `root`, with the reason.

    Raises
    ------
    BadInput
        If the folder is no data set, or an ambiguous one; nothing is read but names and tables.
    """
    source = source or root.resolve()
    files, empty = list_tree(root, ignore, source)
    table, rows = find_label_table(root, [path for path in files if not files[path]], source)
    if table:
        members, rejected = match_label_table(table, rows, files, source)
    else:
        if name := _find_only_archive(root, files):
            raise BadInput(f"{source}: it holds an archive ({name}): unpack it once and give that")
        folders = find_class_folders(root, files, empty, source)
        members = [Member(p, *folders[p.parent]) for p in files if p.parent in folders]
        members.sort(key=lambda member: member.label)
        rejected = {str(p): files[p] or STRAY for p in files if p.parent not in folders}
    if len({member.label for member in members}) < 2:
        raise BadInput(_describe_missing_classes(source, members, files))
    return members, rejected | {str(p): files[p] for p, *_ in members if files[p]}


def _describe_missing_classes(source, members, files):
    message = f"{source} has {f'one class, {members[0].label!r}' if members else 'no class folder'}"
    if any(path.name.casefold() == "imagelabels.mat" for path in files):
        message += ", and imagelabels.mat is not read (docs/photos.md converts it)"
    return (
        f"{message}: put the photos of each class into a folder of its own, or add a labels.csv "
        "with the columns file and label"
    )


def iterate_folder(root, ignore=(), display_name=None, delete=False):
    """Yield the files below `root`, class by class, then those without a class.

    Parameters
    ----------
    root : path-like
        See `find_members`.
    ignore : sequence of str
        See `flowers.sources.folders.list_tree`.
    display_name : path-like, optional
        The name of the source in errors, in place of `root`.
    delete : bool
        Delete each file after reading it.

    Yields
    ------
    SourceFile

    Raises
    ------
    BadInput
        See `find_members`.
    """
    root = Path(root)
    yield from iterate_members(root, *find_members(root, ignore, display_name), delete)


def iterate_members(root, members, rejected, delete=False):
    """Yield the files that `find_members` returned, as `iterate_folder` does."""
    for path, label, part in members:
        reason = rejected.pop(str(path), None)
        content = RejectedImage(reason) if reason else _read_photo(root / path)
        if delete:
            (root / path).unlink()
        yield SourceFile(label, path.name, content, part, str(path))
    for name, reason in rejected.items():
        nested = reason == STRAY and is_archive(read_head(root / name))
        yield SourceFile(None, name, RejectedImage(NESTED if nested else reason))


def _read_photo(path):
    """Read a file, only its first bytes if they are not those of an image."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            return head if head and find_fault(head) else head + file.read()
    except OSError:
        return RejectedImage("cannot be read")


def _find_only_archive(root, files):
    """Return the name of the first archive if no file is an image, otherwise None."""
    archive = None
    for path, reason in files.items():
        head = b"" if reason else read_head(root / path)
        if is_archive(head):
            archive = archive or path.name
        elif find_fault(head) is None:
            return None
    return archive


def iterate_archive(source, cache, sha256=None, ignore=(), bar=None):
    """Yield the files of a zip or tar archive; see `iterate_folder`.

    Parameters
    ----------
    source : str
        A path or a URL (file, http, https).
    cache : pathlib.Path
        Keeps downloads and, while it is read, the unpacked archive.
    sha256 : str, optional
        The expected SHA-256 of the archive.
    ignore : sequence of str
        See `flowers.sources.folders.list_tree`.
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
        yield from iterate_folder(root, ignore, display_name=archive, delete=True)
    for name, reason in rejected.items():
        yield SourceFile(None, name, RejectedImage(reason))


def iterate_synthetic(per_class, near_duplicate_share, wrong_labels, seed, jobs):
    """Yield the files of `flowers.synthetic.collection.generate_images`."""
    for path, content in generate_images(per_class, near_duplicate_share, wrong_labels, seed, jobs):
        label, name = path.split("/", 1)
        yield SourceFile(label, name, content)


def collect_photos(files, target, review):
    """Write images into `target`, one folder per class, and list the rejected files.

    Parameters
    ----------
    files : iterable of SourceFile
    target : pathlib.Path
    review : flowers.sources.review.Review

    Returns
    -------
    photos : list of dict
        The "path" below `target` and the "part" of each image, sorted by path.
    rejected : list of dict
        The "path" and "reason" of each rejected file.
    reviewed : dict
        See ``Review.count_matches``.

    Raises
    ------
    BadInput
        If there are fewer than two classes, or a class has no image or an unsuitable name.
    """
    photos = []
    rejected = []
    classes = set()
    for label, name, content, part, _ in files:
        classes |= {label} - {None}
        if label is not None:
            normalise_label(label)
        if reason := find_fault(content):
            path = make_printable(f"{label}/{name}" if label else name)
            rejected.append({"path": path, "reason": reason})
        elif reviewed_label := review.get_label(label, content):
            path = make_free_path(target / reviewed_label, name)
            path.write_bytes(content)
            photos.append({"path": f"{reviewed_label}/{path.name}", "part": part})
    reviewed = review.count_matches(classes)
    used = {photo["path"].split("/")[0] for photo in photos}
    empty = sorted(classes - used)
    if empty or len(used) < 2:
        message = f"classes {sorted(classes)}, without a photo {empty}"
        if rejected:
            message += f"; such as {rejected[0]['path']}: {rejected[0]['reason']}"
        raise BadInput(f"{message}: give two folders with photos at least, and no other")
    return sorted(photos, key=lambda photo: photo["path"]), rejected, reviewed


def summarise_photos(photos, rejected):
    """Count images by class and part, and rejected files by reason; see `collect_photos`."""
    classes = Counter(photo["path"].split("/")[0] for photo in photos)
    parts = Counter(photo["part"] for photo in photos if photo["part"])
    reasons = Counter(row["reason"] for row in rejected)
    return {
        "photos": len(photos),
        "classes": dict(sorted(classes.items())),
        "parts": {part: parts[part] for part in PARTS if part in parts},
        "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
    }
