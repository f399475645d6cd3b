"""What a commit holds of a run: files in git, digests in dvc.lock, objects in the cache of DVC."""

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from dvc.repo import Repo

from flowers.model import card


@dataclass
class Held:
    """The outputs of a run as git and dvc.lock know them.

    `lock` has a dict for each stage, from (section, name) to what dvc.lock says; `in_git` and
    `in_dvc` the MD5 of each output by path; `files` the bytes of the outputs that git holds.
    """

    lock: dict
    in_git: dict
    in_dvc: dict
    files: dict

    @classmethod
    def of_head(cls, root):
        """As committed."""
        names = git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0")
        lock, declared = (git(root, "show", f"HEAD:{f}") for f in ("dvc.lock", "dvc.yaml"))
        found = cls.read(lock, declared)
        wanted = {*found.in_git, "dvc.lock"} & set(names)
        found.files = {name: git(root, "show", f"HEAD:{name}") for name in wanted}
        return found

    @classmethod
    def on_disk(cls, root):
        """As a finished run left it."""
        return cls.read((root / "dvc.lock").read_bytes(), (root / "dvc.yaml").read_bytes())

    @classmethod
    def read(cls, lock, declared):
        """From the bytes of dvc.lock and dvc.yaml."""
        stages = yaml.safe_load(lock)["stages"]
        kept_by_git = set()
        for stage in yaml.safe_load(declared)["stages"].values():
            for out in (o for kind in ("outs", "metrics", "plots") for o in stage.get(kind, [])):
                for path, how in out.items() if isinstance(out, dict) else ():
                    if how.get("cache") is False:
                        kept_by_git.add(path)
        outs = {o["path"]: str(o.get("md5")) for s in stages.values() for o in s.get("outs", [])}
        return cls(
            lock={name: entries(stage) for name, stage in stages.items()},
            in_git={path: md5 for path, md5 in outs.items() if path in kept_by_git},
            in_dvc={path: md5 for path, md5 in outs.items() if path not in kept_by_git},
            files={},
        )

    def log_is_empty(self):
        """Whether the run looked for drift where there was no log, as a clean copy does."""
        try:
            frozen = json.loads(self.files["metrics/snapshot.json"])
            return frozen["predictions"] == 0 and frozen["model_version"] == "untagged"
        except (KeyError, TypeError, ValueError):
            return False

    def md5(self, path):
        """Of the file in git."""
        return hashlib.md5(self.files[path], usedforsecurity=False).hexdigest()

    def differs(self, path, root):
        """Whether a file below `root` is missing or has other bytes than the one in git."""
        file = Path(root) / path
        return not file.is_file() or file.read_bytes() != self.files[path]


def entries(stage):
    """One entry of dvc.lock, flat: from (section, name) to what it says of it."""
    flat = {("cmd", "cmd"): stage.get("cmd")}
    for kind in ("deps", "outs"):
        flat |= {(kind, entry["path"]): entry.get("md5") for entry in stage.get(kind, [])}
    for file, params in stage.get("params", {}).items():
        flat |= {("params", f"{file}:{name}"): value for name, value in params.items()}
    return flat


def git(root, *arguments):
    """What a git command prints, as bytes."""
    return subprocess.run(("git", *arguments), cwd=root, capture_output=True, check=True).stdout


def file_md5(path):
    return card.hash_file(path, "md5")


def digest(path):
    """The MD5 that DVC gives a file or a folder; None where there is nothing."""
    if not path.is_dir():
        return file_md5(path) if path.exists() else None
    files = {p.relative_to(path).as_posix(): file_md5(p) for p in path.rglob("*") if p.is_file()}
    # As in dvc_data.hashfile.tree.Tree, whose order is by path.
    listing = json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)])
    return hashlib.md5(listing.encode(), usedforsecurity=False).hexdigest() + ".dir"


def cache_of(root):
    """Where DVC keeps what the outputs of a repository were."""
    with Repo(root) as repo:
        return Path(repo.cache.local.path)


def damaged_objects(cache, md5):
    """Paths in the cache of an output's objects whose bytes are not those of their name.

    DVC links what it finds there without another look.
    """
    place = cache / md5[:2] / md5[2:]
    if not place.exists():
        return
    if file_md5(place) != md5.removesuffix(".dir"):
        yield place
    elif md5.endswith(".dir"):
        for entry in json.loads(place.read_bytes()):
            part = cache / entry["md5"][:2] / entry["md5"][2:]
            if part.exists() and file_md5(part) != entry["md5"]:
                yield part
