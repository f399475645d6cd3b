"""Photos from the command line: python -m scoring.predict photo.jpg folder/ [--csv] [--json]"""

import argparse
import csv
import io
import json
import sys
from functools import partial
from pathlib import Path

from tqdm import tqdm

from flowers.base.environment import read_jobs, read_model_dir, read_model_sha256
from flowers.base.errors import BadInput, RejectedImage
from flowers.base.parallel import pooled_map
from flowers.model import folder as model_folder
from flowers.model.predictor import Prediction
from scoring.answers import describe_model, describe_prediction
from scoring.output import run_command

BATCH = 16  # photos that a worker answers together
# Bytes of a file that is read: as many as 25 million pixels with 16 bits take.
LARGEST = 200_000_000
ALL_ANSWERED, SOME_REJECTED, USAGE = 0, 1, 2


def list_files(paths):
    """The files that the arguments mean, in order.

    Parameters
    ----------
    paths : list of Path
        Files as they are; of a folder every file below it that is not hidden. Whether a file is
        a photo is told by its content.

    Returns
    -------
    list of Path

    Raises
    ------
    BadInput
        If a path is not there, or a folder has no files.
    """
    found = []
    for path in paths:
        if path.is_dir():
            below = sorted(p for p in path.rglob("*") if p.is_file() and _is_shown(p, path))
            if not below:
                raise BadInput(f"no files in {path}: name a folder with photos")
            found += below
        elif path.exists():
            found.append(path)
        else:
            raise BadInput(f"{path} is not there: name a photo or a folder")
    return found


def _is_shown(path, folder):
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


def format_json(file, told):
    return json.dumps({"file": str(file)} | told)


def format_csv(file, told):
    return write_csv_line(file, told["label"], told["confidence"], *told["probabilities"].values())


def write_csv_line(*cells):
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # cells with its line end are quoted
    return line.getvalue().removesuffix("\r\n")


def format_row(file, told):
    shares = [f"{p:>{len(name)}.3f}" for name, p in told["probabilities"].items()]
    width = max(map(len, told["probabilities"]))
    return "  ".join([f"{told['label']:<{width}}", *shares, str(file)])


def format_header(classes):
    """The first line of the table; a column is as wide as the name of its class."""
    return "  ".join(["label".ljust(max(map(len, classes))), *classes, "file"])


def read_content(path):
    """The bytes of a file, unless they are more than a photo may have."""
    if not path.is_file():  # a pipe or a device has no size, and perhaps no end
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content
    elif path.stat().st_size <= LARGEST:
        return path.read_bytes()
    raise RejectedImage("too large", f"more than {LARGEST / 1e6:g} MB")


def predict_batch(model, paths):
    """Each file with its answer, or with what is wrong with it; one is in memory at a time."""
    found, read = {}, []

    def contents():
        for path in paths:
            try:
                content = read_content(path)
            except (OSError, RejectedImage) as error:
                found[path] = error
                continue
            read.append(path)
            yield content

    answers = model.predict_bytes(contents())
    found |= zip(read, answers, strict=True)
    return [(path, found[path]) for path in paths]


def predict_files(model, photos, count):
    """Predict all photos in order, in batches on `count` cores, with a progress bar."""
    batches = [photos[i : i + BATCH] for i in range(0, len(photos), BATCH)]
    # disable=None: only where standard error is a terminal.
    with tqdm(total=len(photos), unit="photo", disable=None if len(photos) > 1 else True) as bar:
        for batch in pooled_map(partial(predict_batch, model), batches, count, "threading"):
            yield from batch
            bar.update(len(batch))


def parse_path(text):
    """The path that an argument names; an empty one, as of an unset variable, names none."""
    if not text:
        raise argparse.ArgumentTypeError("a name is empty: name a photo or a folder")
    return Path(text)


def main(arguments=None):
    """Answer photos on standard output, and name the rejected ones on standard error.

    Returns
    -------
    int
        0 if all are answered, 1 if some were rejected, 2 if there is no such photo or model.
    """
    parser = argparse.ArgumentParser(
        prog="python -m scoring.predict", description="Tell which flowers photos show."
    )
    parser.add_argument("paths", nargs="+", type=parse_path, help="photos, and folders of photos")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per line")
    form.add_argument("--csv", action="store_true", help="a table with commas")
    parser.add_argument("--model", type=Path, help="a model folder; default: as the server")
    options = parser.parse_args(arguments)
    try:
        folder = model_folder.find_model_folder("models", options.model or read_model_dir())
        model = model_folder.load_predictor(folder, read_model_sha256())
        photos, count = list_files(options.paths), read_jobs()
    except BadInput as error:
        print(f"scoring.predict: {error}", file=sys.stderr)
        return USAGE
    show = format_json if options.json else format_csv if options.csv else format_row
    if options.csv:
        print(write_csv_line("file", "label", "confidence", *model.classes))
    elif not options.json:
        print(format_header(model.classes))
    status = ALL_ANSWERED
    for photo, found in predict_files(model, photos, count):
        if isinstance(found, Prediction):
            entry = describe_prediction(model, found) | describe_model(model)
            tqdm.write(show(photo, entry))
        else:
            tqdm.write(f"{photo}: {found}", file=sys.stderr)
            status = SOME_REJECTED
    return status


def allow_any_file_name():
    """Let names of files that are no text be written as the bytes they are, or their numbers."""
    for stream in (sys.stdout, sys.stderr):
        unicode = stream.encoding.lower() in ("utf-8", "utf8")
        stream.reconfigure(errors="surrogateescape" if unicode else "backslashreplace")


def run_main():
    allow_any_file_name()
    return main()


if __name__ == "__main__":
    sys.exit(run_command("scoring.predict", run_main))
