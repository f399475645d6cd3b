"""Find the files of a folder, its class folders, and the parts of its split."""

import errno
import os
import stat
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import NamedTuple

from flowers.base.errors import BadInput, RejectedImage
from flowers.images.decoding import check_format
from flowers.sources.archives import is_archive
from flowers.sources.names import PARTS, check_distinct, find_part, normalise_label

NESTED = "an archive inside: unpack it first"
# Names of parts that no class has; a class "train" may be one of vehicles.
_NO_CLASSES = {"test", *PARTS["validation"]} - {"dev"}
HEAD_BYTES = 512


class Member(NamedTuple):
    """A file of a class, by its path below the root.

    Attributes
    ----------
    path : pathlib.PurePosixPath
    label : str
    part : str
        "train", "validation", "test", or "" if the photos have no split of their own.
    """

    path: PurePosixPath
    label: str
    part: str


def list_tree(root, ignore=(), source=None):
    """List what is below a folder; links are followed.

    Hidden files and folders and ``__MACOSX`` are left out. A folder is read once even if several
    links lead to it, so a circle of links ends.

    Parameters
    ----------
    root : pathlib.Path
    ignore : sequence of str
        Names of files and folders to leave out, or their paths below `root`, with the wildcards
        ``*`` and ``?``.
    source : path-like, optional
        The name of `root` in errors.

    Returns
    -------
    files : dict of pathlib.PurePosixPath to str or None
        Paths below `root`, sorted; a reason for what cannot be read, otherwise None.
    empty : list of pathlib.PurePosixPath
        Folders that contain nothing.

    Raises
    ------
    BadInput
        If `root` is not a folder, or a name of `ignore` is not in it.
    """
    source = source or root.resolve()
    if not root.is_dir():
        raise BadInput(f"{source} is not a folder: name the folder of the class folders")
    files = {}
    folders = [PurePosixPath()]
    empty = []
    read = {_identify(root.stat())}
    ignore = [pattern.rstrip("/") for pattern in ignore]
    unmatched = dict.fromkeys(ignore)
    for folder in folders:  # grows
        with os.scandir(root / folder) as entries:
            # A folder comes before the links to it.
            entries = sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))
        if not entries and folder.name:
            empty.append(folder)
        for entry in entries:
            path = folder / entry.name
            names = (entry.name, str(path))
            patterns = [p for p in ignore if any(fnmatchcase(name, p) for name in names)]
            for pattern in patterns:
                unmatched.pop(pattern, None)
            if patterns or entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            status, reason = _read_status(entry)
            if reason or not stat.S_ISDIR(status.st_mode):
                files[path] = reason
            elif _identify(status) in read:
                files[path] = "a folder that is read already by another name"
            else:
                read.add(_identify(status))
                folders.append(path)
    if unmatched:
        name = next(iter(unmatched))
        raise BadInput(f"{source} has no {name!r}: correct or remove it in fetch.ignore")
    return {path: files[path] for path in sorted(files, key=str)}, sorted(empty, key=str)


def _identify(status):
    return status.st_dev, status.st_ino


def _read_status(entry):
    """Return the status of a file or of the target of a link, and why it cannot be read."""
    try:
        status = entry.stat()
    except OSError as error:
        broken = {errno.ENOENT: "a broken link", errno.ELOOP: "a link to itself"}
        return None, broken.get(error.errno, "cannot be read")
    usable = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return status, None if usable else "a device, pipe or socket"


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


def read_head(path):
    """Read the first bytes of a regular file; none if that is impossible."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def find_class_folders(root, files, empty=(), source=None):
    """Find the class folders, wherever they are nested, and the part of each.

    A class folder contains photos and no other folder of photos, and its name is the class; folders
    of the same name are one class. Without a single photo every folder with files counts. A folder
    without a photo is a class if it is beside class folders.

    Parameters
    ----------
    root : pathlib.Path
        The folder. It is never a class itself.
    files, empty, source
        See `list_tree`.

    Returns
    -------
    dict of pathlib.PurePosixPath to (str, str)
        Class and part of each class folder, sorted; the part as in `Member`.

    Raises
    ------
    BadInput
        If class folders are at different depths or inside each other, a class folder is empty, two
        names differ by case, spaces or Unicode form alone, a class has the name of a part, or a
        folder beside the parts is none.
    """
    source = source or root.resolve()
    by_folder = {}
    for path, reason in files.items():
        by_folder.setdefault(path.parent, []).append(None if reason else path)
    photos = {
        folder
        for folder, paths in by_folder.items()
        if any(path and find_fault(read_head(root / path)) is None for path in paths)
    } or set(by_folder)
    outer = {parent for folder in photos for parent in folder.parents} | {PurePosixPath()}
    folders = sorted(photos - outer, key=str)
    _check_places(folders, photos & outer, source)
    parents = {folder.parent for folder in folders or empty}
    for folder in empty:
        if folder.parent in parents:
            raise BadInput(f"class folder {str(folder)!r} of {source} is empty: fill or delete it")
    folders += [folder for folder in by_folder if folder.parent in parents]
    folders = sorted(set(folders) - outer, key=str)
    for folder in folders:
        if folder.name.casefold() in _NO_CLASSES:
            raise BadInput(
                f"{source}: {str(folder)!r} has the name of a part, but no class folders: move its "
                "photos into class folders inside it, or name it in fetch.ignore"
            )
    check_distinct({folder.name: str(folder) for folder in folders}, source)
    parts = find_parts(folders, source)
    return {folder: (normalise_label(folder.name), parts[folder]) for folder in folders}


def _check_places(folders, outer, source):
    """Refuse class folders at different depths or inside each other."""
    depths = Counter(len(folder.parts) for folder in folders)
    usual = max(depths, key=lambda depth: (depths[depth], depth), default=0)
    common = [folder for folder in folders if len(folder.parts) == usual]
    others = [folder for folder in folders if len(folder.parts) != usual]
    for folder in sorted(outer, key=str):
        inner = [other for other in folders if folder in other.parents]
        if len(inner) < len(folders):  # photos above all class folders are only listed
            raise BadInput(
                f"{source} has photos in {str(folder)!r} and also in {str(inner[0])!r} inside it: "
                "move them, or name the inner folder or the outer photos in fetch.ignore"
            )
    if others:
        raise BadInput(
            f"{source} has photos in {str(common[0])!r} and at another depth in "
            f"{str(others[0])!r}: move one of them, or name it in fetch.ignore"
        )


def find_parts(folders, source):
    """Find the part of each folder by the names of the folders around it.

    Names around all of them are not compared. One part alone is no split.

    Parameters
    ----------
    folders : list of pathlib.PurePosixPath
    source : path-like
        For errors.

    Returns
    -------
    dict of pathlib.PurePosixPath to str

    Raises
    ------
    BadInput
        If there are two parts and a folder outside them.
    """
    around = [folder.parent.parts for folder in folders]
    shared = len(os.path.commonprefix(around)) if around else 0
    parts = {}
    for folder, names in zip(folders, around, strict=True):
        parts[folder] = next(filter(None, map(find_part, names[shared:])), "")
    if len(set(parts.values()) - {""}) < 2:
        return dict.fromkeys(folders, "")
    inside = next(folder for folder, part in parts.items() if part)
    outside = next((folder for folder, part in parts.items() if not part), None)
    if outside:
        raise BadInput(
            f"{source}: {str(inside)!r} is in a part of a split, {str(outside)!r} in none: rename "
            "the folder around it to train, validation or test, or name it in fetch.ignore"
        )
    return parts
