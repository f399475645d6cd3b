"""DVC experiments on real photos, and what they left behind."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from flowers.model.card import hash_file
from flowers.sources.downloads import fetch_file
from study.repository import ROOT, run_command

DVC = Path(sys.executable).with_name("dvc")


def run_git(*arguments):
    """What a git command prints."""
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def get_source_params(source):
    """Where the photos come from, as params, with their digest.

    DVC does not look at what is outside the repository: with the digest among the params it knows
    other photos from those it has read, and need not read the same ones twice.
    """
    path = fetch_file(source, ROOT / "data" / "downloads").resolve()
    kind = "folder" if path.is_dir() else "archive"
    return {"fetch.source": kind, "fetch.path": path, "fetch.sha256": hash_path(path)}


def hash_path(path):
    """The SHA-256 of a file, or of the names and contents of all files in a folder."""
    if path.is_dir():
        names = sorted(file.relative_to(path) for file in path.rglob("*") if file.is_file())
        listed = "".join(f"{hash_path(path / name)} {name.as_posix()}\n" for name in names)
        return sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
    return hash_file(path, "sha256")


def run_experiment(name, params, target):
    """Run the stages up to `target` with other params."""
    # --force would take the name over, and run even stages of which nothing has changed.
    subprocess.run([DVC, "exp", "remove", "--quiet", name], cwd=ROOT, capture_output=True)
    options = [f"--set-param={key}={value}" for key, value in params.items()]
    run_command("dvc", "exp", "run", "--temp", "--name", name, *options, target, cwd=ROOT)


def find_commit(name):
    """The commit of an experiment on HEAD, whatever others have its name."""
    base = run_git("rev-parse", "HEAD")
    return run_git("rev-parse", f"refs/exps/{base[:2]}/{base[2:]}/{name}")


def read_metrics(commit, name):
    """A metrics file of an experiment."""
    return json.loads(run_git("show", f"{commit}:metrics/{name}.json"))


def read_rows(commit, path):
    """The rows of a table of an experiment."""
    return list(csv.DictReader(io.StringIO(run_git("show", f"{commit}:{path}"))))


def get_candidate(commit, folder):
    """Bring the model folder of an experiment to `folder`."""
    run_command(
        "dvc", "get", "--quiet", ".", "models/candidate", "--rev", commit, "--out", str(folder)
    )
