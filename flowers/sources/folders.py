"""Find the photos of each class in a tree of folders."""

import os
from pathlib import Path

from flowers.base.errors import BadInput


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

    def get_key(path):
        return path.relative_to(root).as_posix()

    by_class, strays = {}, []
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
    return (
        {name: sorted(by_class[name], key=get_key) for name in sorted(by_class)},
        sorted(strays, key=get_key),
    )


def _is_class_parent(parent, root):
    """Whether an empty folder in `parent` is a class, rather than a part of a class folder."""
    return parent == root or not any(path.is_file() for path in parent.iterdir())


def _is_ignored(name):
    return name.startswith(".") or name == "__MACOSX"


def _raise_error(error):
    raise error
