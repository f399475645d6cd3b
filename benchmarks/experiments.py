"""DVC experiments on real photos, and what they left behind."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from benchmarks.clean_copy import ROOT, run

DVC = Path(sys.executable).with_name("dvc")


def git(*arguments):
    """What a git command prints."""
    return subprocess.check_output(["git", *arguments], cwd=ROOT, text=True).strip()


def knobs_of(source):
    """Where the photos come from, as knobs; a file by its digest, so that DVC tells two apart."""
    if "://" in source:
        return {"fetch.source": "archive", "fetch.path": source}
    path = Path(source).resolve()
    if path.is_dir():
        return {"fetch.source": "folder", "fetch.path": path}
    digest = sha256(path.read_bytes()).hexdigest()
    return {"fetch.source": "archive", "fetch.path": path, "fetch.sha256": digest}


def experiment(name, knobs, target):
    """Run the stages up to `target` with other knobs."""
    # --force would take the name over, and run even stages of which nothing has changed.
    subprocess.run([DVC, "exp", "remove", "--quiet", name], cwd=ROOT, capture_output=True)
    options = [f"--set-param={key}={value}" for key, value in knobs.items()]
    run("dvc", "exp", "run", "--temp", "--name", name, *options, target)


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
