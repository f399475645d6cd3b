"""Run DVC experiments and read their results."""

import json
import re
import subprocess
from functools import partial
from hashlib import sha256
from pathlib import Path

from flowers.base.errors import BadInput
from flowers.model.card import hash_file
from flowers.sources.downloads import fetch_file
from flowers.sources.folders import list_tree
from scoring.registry.git import read_file_at
from stages.support.files import show_progress
from study.repository import ENVIRONMENT, ROOT, run_command

# Text that Hydra reads as such without quotes.
PLAIN_TEXT = re.compile(
    r"(?!(?i:true|false|null|nan|inf)$)[a-z/][\w./-]*", re.ASCII | re.IGNORECASE
)
# A key of a mapping, which Hydra reads without quotes alone.
PLAIN_KEY = re.compile(
    r"(?!(?i:true|false|null|nan|inf)$)[a-z_]([\w ./-]*[\w./-])?", re.ASCII | re.IGNORECASE
)


def get_source_params(source, keep_url=False):
    """Parameters of `fetch` for an archive, a URL or a folder.

    DVC does not look at files outside the repository. With their SHA-256 among the parameters it
    reruns `fetch` exactly when the photos have changed. With `keep_url` the path of a URL is the
    URL itself, otherwise that of the downloaded file.
    """
    bar = partial(show_progress, None, unit="B", unit_scale=True)
    path = fetch_file(source, ROOT / "data" / "downloads", bar=bar).resolve()
    kind = "folder" if path.is_dir() else "archive"
    keeps_url = keep_url and source.lower().startswith(("http://", "https://"))
    return {
        "fetch.source": kind,
        "fetch.path": source if keeps_url else str(path),
        "fetch.sha256": hash_path(path),
    }


def hash_path(path):
    """SHA-256 of a file, or of the names and contents of the files in a folder; links count."""
    if path.is_dir():
        names = [name for name, fault in list_tree(path)[0].items() if not fault]
        listing = "".join(f"{hash_file(path / name, 'sha256')} {name}\n" for name in names)
        return sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    return hash_file(path, "sha256")


def format_options(params):
    """Return the options of ``dvc exp run`` that set parameters, in the grammar of Hydra.

    Raises
    ------
    BadInput
        If a value has no form in this grammar.
    """
    words = []
    for key, value in params.items():
        if isinstance(value, dict):  # Hydra would add its keys to those of the old mapping
            words += ["-S", f"{key}=null"]
        words += ["-S", f"{key}={_format_value(value)}"]
    return words


def _format_value(value):
    if isinstance(value, list):
        return f"[{','.join(map(_format_value, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_format_key(k)}:{_format_value(v)}' for k, v in value.items())}}}"
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if not isinstance(value, (str, Path)):
        raise BadInput(f"{value} is of type {type(value).__name__}: set text, a number or a list")
    text = str(value)
    if PLAIN_TEXT.fullmatch(text):
        return text
    text = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)  # no reference to another parameter
    text = re.sub(r'(\\*)"', r'\1\1\\"', text)
    return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'


def _format_key(key):
    if isinstance(key, str) and not PLAIN_KEY.fullmatch(key):
        raise BadInput(f"the key {key!r} cannot be set by an option: write it into params.yaml")
    return key if isinstance(key, str) else _format_value(key)


def run_experiment(name, params, target):
    """Run the stages up to `target` with other parameters, as an experiment of this name."""
    # --force would replace the experiment but also rerun stages that have not changed.
    remove = ("dvc", "exp", "remove", "--quiet", name)
    subprocess.run(remove, cwd=ROOT, env=ENVIRONMENT, capture_output=True)
    options = format_options(params)
    run_command("dvc", "exp", "run", "--temp", "--name", name, *options, target, cwd=ROOT)


def read_metrics(commit, name):
    """Read metrics/NAME.json of an experiment."""
    return json.loads(read_file_at(commit, f"metrics/{name}.json"))


def get_candidate(commit, folder):
    """Copy the model folder of an experiment to `folder`."""
    run_command("dvc", "get", "--quiet", ".", "models/candidate", "--rev", commit, "--out", folder)
