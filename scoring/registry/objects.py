"""Model folders in the DVC cache and the DVC remote, file by file and verified by their MD5.

DVC stores a folder as a listing, a JSON file with the MD5 and the path of each file, and each file
under its own MD5. No revision of the repository is read for that, so neither a partial clone of git
nor remotes that have moved since are an obstacle.
"""

import contextlib
import json
import re
from pathlib import Path, PurePosixPath

from dvc.fs import localfs
from dvc.repo import Repo

from flowers.base.errors import BadInput
from flowers.model.card import hash_file

MD5 = re.compile("[0-9a-f]{32}")


@contextlib.contextmanager
def open_stores():
    """Open the DVC cache and, if one is set, the default DVC remote: HashFileDB by name."""
    try:
        with Repo(".") as repo:
            stores = {"the DVC cache": repo.cache.local}
            if remote := repo.config["core"].get("remote"):
                stores[f"remote {remote}"] = repo.cloud.get_remote_odb()
            yield stores
    except BadInput:
        raise
    except Exception as error:  # plugins of DVC document no list of errors
        raise BadInput(f"DVC fails ({describe_error(error)}): check dvc remote list") from error


def describe_error(error):
    """Describe an exception of a library in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")


def has_remote():
    """Whether a default DVC remote is set."""
    with open_stores() as stores:
        return len(stores) > 1


def copy_model(md5, folder):
    """Copy a model folder from the DVC cache or the remote.

    Parameters
    ----------
    md5 : str
        MD5 of the folder in dvc.lock, with the suffix ".dir".
    folder : path-like
        Must not exist; its listing is written beside it.

    Raises
    ------
    BadInput
        If no intact copy of a file is found, or a path in the listing leaves the folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True)
    with open_stores() as stores:
        listing = folder.with_suffix(".json")
        copy_object(stores, md5, listing)
        for name, digest in read_listing(listing).items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_object(stores, digest, target)


def copy_object(stores, md5, target):
    """Copy one object from the first store that has it intact; BadInput if none has."""
    reasons = []
    for name, store in stores.items():
        try:
            store.fs.get_file(store.oid_to_path(md5), str(target))
            actual = hash_file(target, "md5")
        except FileNotFoundError:
            reasons.append(f"not in {name}")
        except Exception as error:  # plugins of DVC document no list of errors
            reasons.append(f"{name} fails with {describe_error(error)}")
        else:
            if actual == md5.removesuffix(".dir"):
                return
            reasons.append(f"damaged in {name} (md5 {actual})")
    if len(stores) == 1:
        reasons.append("no remote is set (make store DIR=...)")
    raise BadInput(f"{md5} is {', '.join(reasons)}")


def read_listing(path):
    """Read the listing of a folder: MD5 of each file by its path; BadInput if it is not safe."""
    try:
        files = {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_bytes())}
        for name, md5 in files.items():
            parts = PurePosixPath(name).parts
            safe = MD5.fullmatch(md5) and parts and not {"/", ".."} & {*parts}
            if not safe or "\0" in name:
                raise BadInput(f"the list of the model's files is not safe: {name!r}, md5 {md5!r}")
        return files
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"the list of the model's files is damaged: {error!r}") from error


def push_model(md5, folder):
    """Push a folder that `copy_model` copied to the remote; return the number of files sent.

    The listing is sent last: a remote that has it has every file.
    """
    folder = Path(folder)
    listing = folder.with_suffix(".json")
    objects = {digest: folder / name for name, digest in read_listing(listing).items()}
    objects[md5] = listing
    with open_stores() as stores:
        *_, remote = stores.values()
        missing = [digest for digest in objects if not _is_complete(remote, digest, objects)]
        for digest in missing:
            remote.add(str(objects[digest]), localfs, digest, check_exists=False)
        if lost := [digest for digest in missing if not _is_complete(remote, digest, objects)]:
            raise BadInput(f"the remote lacks {', '.join(lost)} after the push: push again")
    return len(missing)


def _is_complete(store, digest, paths):
    if not store.exists(digest):
        return False
    return store.fs.size(store.oid_to_path(digest)) in (None, paths[digest].stat().st_size)
