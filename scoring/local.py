"""Photos from the command line: python -m scoring.local photo.jpg folder/ [--json] [--model DIR]"""

import argparse
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from flowers import model_folder
from flowers.environment import model_dir, model_sha256
from flowers.errors import BadInput, Rejected
from scoring.answers import prediction

ALL_ANSWERED, SOME_REJECTED, USAGE = 0, 1, 2


def photos_in(paths):
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


def as_json(file, told):
    return json.dumps({"file": str(file)} | told)


def as_row(file, told):
    shares = [f"{p:>{len(name)}.3f}" for name, p in told["probabilities"].items()]
    width = max(map(len, told["probabilities"]))
    return "  ".join([f"{told['label']:<{width}}", *shares, str(file)])


def header(classes):
    """The first line of the table; a column is as wide as the name of its class."""
    return "  ".join(["label".ljust(max(map(len, classes))), *classes, "file"])


def main(arguments=None):
    """Answer photos on standard output, and name the rejected ones on standard error.

    Returns
    -------
    int
        0 if all are answered, 1 if some were rejected, 2 if there is no such photo or model.
    """
    parser = argparse.ArgumentParser(
        prog="python -m scoring.local", description="Tell which flowers photos show."
    )
    parser.add_argument("paths", nargs="+", type=Path, help="photos, and folders of photos")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--model", type=Path, help="a model folder; default: as the server")
    options = parser.parse_args(arguments)
    try:
        folder = model_folder.find("models", options.model or model_dir())
        model = model_folder.load(folder, model_sha256())
        photos = photos_in(options.paths)
    except BadInput as error:
        print(f"scoring.local: {error}", file=sys.stderr)
        return USAGE
    if not options.json:
        print(header(model.classes))
    show, status = as_json if options.json else as_row, ALL_ANSWERED
    # disable=None: only where standard error is a terminal.
    for photo in tqdm(photos, unit="photo", disable=None if len(photos) > 1 else True):
        try:
            answer = model.answer(photo.read_bytes())
        except (Rejected, OSError) as error:
            tqdm.write(f"{photo}: {error}", file=sys.stderr)
            status = SOME_REJECTED
        else:
            tqdm.write(show(photo, prediction(model, answer)))
    return status


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ALL_ANSWERED
    sys.exit(status)
