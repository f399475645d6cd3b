"""DVC experiments on real photos, and what they left behind."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from benchmarks.clean_copy import ROOT, run
from flowers.model.card import file_digest
from flowers.sources.downloads import fetch_file

DVC = Path(sys.executable).with_name("dvc")


def git(*arguments):
    """What a git command prints."""
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def knobs_of(source):
    """Where the photos come from, as params, with their digest.

    DVC does not look at what is outside the repository: with the digest among the params it knows
    other photos from those it has read, and need not read the same ones twice.
    """
    path = fetch_file(source, ROOT / "data" / "downloads").resolve()
    kind = "folder" if path.is_dir() else "archive"
    return {"fetch.source": kind, "fetch.path": path, "fetch.sha256": digest_of(path)}


def digest_of(path):
    """The SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_dir():
        names = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{digest_of(path / name)} {name.as_posix()}\n" for name in names)
        return sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
    return file_digest(path, "sha256")


def experiment(name, params, target):
    """Run the stages up to `target` with other params."""
    # --force would take the name over, and run even stages of which nothing has changed.
    subprocess.run([DVC, "exp", "remove", "--quiet", name], cwd=ROOT, capture_output=True)
    options = [f"--set-param={key}={value}" for key, value in params.items()]
    run("dvc", "exp", "run", "--temp", "--name", name, *options, target, cwd=ROOT)


def commit_of(name):
    """The commit of an experiment on HEAD, whatever others have its name."""
    base = git("rev-parse", "HEAD")
    return git("rev-parse", f"refs/exps/{base[:2]}/{base[2:]}/{name}")


def figures(commit, name):
    """A metrics file of an experiment."""
    return json.loads(git("show", f"{commit}:metrics/{name}.json"))


def rows(commit, path):
    """The rows of a table of an experiment."""
    return list(csv.DictReader(io.StringIO(git("show", f"{commit}:{path}"))))


def candidate(commit, folder):
    """Bring the model folder of an experiment to `folder`."""
    run("dvc", "get", "--quiet", ".", "models/candidate", "--rev", commit, "--out", str(folder))
