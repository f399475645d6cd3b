"""Choose the source that the parameters of the stage fetch name."""

import os
import tarfile
import zipfile
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.sources.downloads import fetch_file
from flowers.sources.files import find_members, iterate_archive, iterate_members, iterate_synthetic
from flowers.synthetic.picture import SPECIES


def open_source(params, cache, jobs=1, bar=None):
    """Open a source.

    Parameters
    ----------
    params : dict
        The section fetch of the parameters.
    cache : pathlib.Path
        See `flowers.sources.files.iterate_archive`.
    jobs : int
        Workers of the synthetic source.
    bar : callable, optional
        Makes the progress bars of an archive.

    Returns
    -------
    files : iterator of flowers.sources.files.SourceFile
    count : int or None
        About how many files there are; None before an archive is unpacked.

    Raises
    ------
    BadInput
        If the source is missing or unusable; for an archive while `files` are read.
    """
    if params["source"] == "archive":
        archive = (params["path"], cache, params["sha256"], params["ignore"])
        return iterate_archive(*archive, bar), None
    if params["source"] == "folder":
        root = Path(os.path.expanduser(params["path"]))
        members, rejected = find_members(root, params["ignore"])
        return iterate_members(root, members, rejected), len(members)
    names = ("per_class", "near_duplicate_share", "wrong_labels", "seed")
    files = iterate_synthetic(*(params[name] for name in names), jobs)
    return files, params["per_class"] * len(SPECIES)


def check_source(params):
    """Refuse a wrong source before DVC deletes the photos of the last run.

    The layout of a folder is checked, and that a local archive is one of the expected SHA-256; a
    URL is not visited.

    Parameters
    ----------
    params : dict
        The section fetch of the parameters.

    Raises
    ------
    BadInput
        If the source is missing or unusable.
    """
    path = params["path"]
    if params["source"] == "folder":
        find_members(Path(os.path.expanduser(path)), params["ignore"])
    elif params["source"] == "archive" and not path.lower().startswith(("http://", "https://")):
        archive = fetch_file(path, None, params["sha256"])
        if archive.is_dir():
            raise BadInput(f"{archive.resolve()} is a folder: set fetch.source to folder")
        if not _is_readable_archive(archive):
            raise BadInput(f"{archive.resolve()} cannot be read, or is no zip or tar archive")


def _is_readable_archive(path):
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except OSError:
        return False
