"""Classify photos from the command line: python -m scoring.predict photo.jpg folder/ [--csv]"""

import csv
import io
import json
import sys
from functools import partial
from pathlib import Path

import click

from flowers.base.errors import BadInput, RejectedImage
from scoring import cli

if __name__ == "__main__":
    cli.run(cli.predict, "scoring.predict")  # before the slow imports

from tqdm import tqdm

from flowers.base.environment import read_jobs, read_model_dir, read_model_sha256
from flowers.base.parallel import pooled_map
from flowers.base.tables import escape_cell
from flowers.model.card import check_library_versions
from flowers.model.folder import check_golden_predictions, find_model_folder, load_predictor
from scoring.responses import describe_model, describe_prediction

BATCH = 16  # photos that a worker classifies together
MAX_FILE_BYTES = 200_000_000  # enough for 25 million pixels of 16 bits per channel
EXIT_OK = 0
EXIT_INCOMPLETE = 1


def list_files(paths):
    """List the files of paths in order; a folder stands for every file below it, not hidden."""
    files = []
    for path in paths:
        if path.is_dir():
            below = sorted(p for p in path.rglob("*") if p.is_file() and not _is_hidden(p, path))
            if not below:
                raise BadInput(f"no files in {path}: name a folder with photos")
            files += below
        elif path.exists():
            files.append(path)
        else:
            raise BadInput(f"{path} does not exist: name a photo or a folder")
    return files


def _is_hidden(path, folder):
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def read_content(path):
    """Read a file; RejectedImage if it is larger than `MAX_FILE_BYTES`."""
    if not path.is_file():  # a pipe or a device has no size, and perhaps no end
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) <= MAX_FILE_BYTES:
            return content
    elif path.stat().st_size <= MAX_FILE_BYTES:
        return path.read_bytes()
    raise RejectedImage("too large", f"more than {MAX_FILE_BYTES / 1e6:g} MB")


def predict_batch(predictor, paths):
    """Classify files, one in memory at a time; return pairs of path and Prediction or Exception."""
    results = {}
    readable = []

    def read_contents():
        for path in paths:
            try:
                content = read_content(path)
            except (OSError, RejectedImage) as error:
                results[path] = error
                continue
            readable.append(path)
            yield content

    predictions = predictor.predict_bytes(read_contents())
    results |= zip(readable, predictions, strict=True)
    return [(path, results[path]) for path in paths]


def predict_files(predictor, files, jobs):
    """Classify files in order, in batches on `jobs` cores; yield the items of `predict_batch`."""
    batches = [files[i : i + BATCH] for i in range(0, len(files), BATCH)]
    # disable=None shows the bar only if standard error is a terminal.
    with tqdm(total=len(files), unit="photo", disable=None if len(files) > 1 else True) as bar:
        for results in pooled_map(partial(predict_batch, predictor), batches, jobs, "threading"):
            yield from results
            bar.update(len(results))


def format_csv(result):
    """Format a prediction as a CSV line."""
    probabilities = result["probabilities"].values()
    typical = "" if result["typical"] is None else int(result["typical"])
    cells = result["file"], result["label"], result["confidence"], typical
    return format_csv_line(*cells, *probabilities)


def format_csv_line(*cells):
    """Format cells as a CSV line without its end; text that is a formula is escaped."""
    line = io.StringIO()
    csv.writer(line).writerow(map(escape_cell, cells))
    return line.getvalue().removesuffix("\r\n")


def format_row(result):
    """Format a prediction as a line of the table."""
    cells = [f"{p:>{len(name)}.3f}" for name, p in result["probabilities"].items()]
    width = max(map(len, result["probabilities"]))
    file = result["file"] + ("  (like none of the classes)" if result["typical"] is False else "")
    return "  ".join([f"{result['label']:<{width}}", *cells, file])


def format_header(classes):
    """Format the first line of the table; a column is as wide as the name of its class."""
    return "  ".join(["label".ljust(max(map(len, classes))), *classes, "file"])


def main(files, output="table", model=None, check=True):
    """Print predictions on standard output and rejected files on standard error.

    `output` is "table", "csv" or "json". Returns the exit code: 0, or 1 if some files are rejected.
    Raises `BadInput` if a file or the model is missing, and a `click.ClickException` if the model
    fails its checks.
    """
    if "" in files:  # such as an unset variable, which would name the working folder
        raise BadInput("a name is empty: name a photo or a folder")
    folder = find_model_folder("models", Path(model) if model else read_model_dir())
    predictor = load_predictor(folder, read_model_sha256())
    files = list_files(map(Path, files))
    jobs = read_jobs()
    if check:
        try:
            check_library_versions(folder, predictor.card)
            check_golden_predictions(predictor, folder)
        except BadInput as error:
            raise click.ClickException(f"{error} (--no-check skips this)") from error
    if output == "csv":
        print(format_csv_line("file", "label", "confidence", "typical", *predictor.classes))
    elif output == "table":
        print(format_header(predictor.classes))
    write = {"table": format_row, "csv": format_csv, "json": json.dumps}[output]
    exit_code = EXIT_OK
    for file, prediction in predict_files(predictor, files, jobs):
        if isinstance(prediction, Exception):
            tqdm.write(f"{file}: {prediction}", file=sys.stderr)
            exit_code = EXIT_INCOMPLETE
            continue
        result = describe_prediction(predictor, prediction) | describe_model(predictor)
        tqdm.write(write({"file": str(file)} | result))
    return exit_code
