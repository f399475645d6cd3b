"""Run DVC experiments and read their results."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from flowers.model.card import hash_file
from flowers.sources.downloads import fetch_file
from flowers.sources.folders import list_tree
from scoring.registry.git import read_file_at
from study.repository import ROOT, run_command

# Text that Hydra reads as such without quotes.
PLAIN_TEXT = re.compile(
    r"(?!(?i:true|false|null|nan|inf)$)[a-z/][\w./-]*", re.ASCII | re.IGNORECASE
)
DVC = Path(sys.executable).with_name("dvc")


def get_source_params(source):
    """Parameters of `fetch` for an archive, a URL or a folder.

    DVC does not look at files outside the repository. With their SHA-256 among the parameters it
    reruns `fetch` exactly when the photos have changed.
    """
    path = fetch_file(source, ROOT / "data" / "downloads").resolve()
    kind = "folder" if path.is_dir() else "archive"
    return {"fetch.source": kind, "fetch.path": path, "fetch.sha256": hash_path(path)}


def hash_path(path):
    """SHA-256 of a file, or of the names and contents of the files in a folder; links count."""
    if path.is_dir():
        names = [name for name, fault in list_tree(path)[0].items() if not fault]
        listing = "".join(f"{hash_file(path / name, 'sha256')} {name}\n" for name in names)
        return sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    return hash_file(path, "sha256")


def format_override(key, value):
    """Format a parameter for ``dvc exp run --set-param``, in the grammar of Hydra."""
    return f"{key}={_format_value(value)}"


def _format_value(value):
    if isinstance(value, list):
        return f"[{','.join(map(_format_value, value))}]"
    if not isinstance(value, (str, Path)):
        return json.dumps(value)
    text = str(value)
    if PLAIN_TEXT.fullmatch(text):
        return text
    text = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)  # no reference to another parameter
    text = re.sub(r"(\\*)'", r"\1\1\\'", text)
    return "'" + re.sub(r"(\\+)$", r"\1\1", text) + "'"


def run_experiment(name, params, target):
    """Run the stages up to `target` with other parameters, as an experiment of this name."""
    # --force would replace the experiment but also rerun stages that have not changed.
    subprocess.run([DVC, "exp", "remove", "--quiet", name], cwd=ROOT, capture_output=True)
    options = [f"--set-param={format_override(key, value)}" for key, value in params.items()]
    run_command("dvc", "exp", "run", "--temp", "--name", name, *options, target, cwd=ROOT)


def read_metrics(commit, name):
    """Read metrics/NAME.json of an experiment."""
    return json.loads(read_file_at(commit, f"metrics/{name}.json"))


def get_candidate(commit, folder):
    """Copy the model folder of an experiment to `folder`."""
    run_command("dvc", "get", "--quiet", ".", "models/candidate", "--rev", commit, "--out", folder)
