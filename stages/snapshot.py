"""Freeze the newest predictions of the served model, and bring its reference beside them.

What is served and logged changes while the pipeline does not look, so neither can be a dependency
that DVC follows. This stage alone reads them; `dvc repro` reruns it when told to (make drift).
"""

import shutil
from pathlib import Path

import numpy as np

from flowers.errors import BadInput
from flowers.log.table import COUNTED, join, project
from stages._files import progress, read_json, whole, write_json
from stages._run import run

DAYS = "????-??-??.jsonl"


def served():
    """The folder of the model that the scorer takes: a promoted one before the candidate."""
    folders = [Path("models", name) for name in ("production", "candidate")]
    folder = next(f for f in folders if (f / "card.json").is_file() or f == folders[-1])
    if not (folder / "reference.csv").is_file():
        raise BadInput(
            f"{folder / 'reference.csv'} is missing: promote a model of this pipeline and fetch "
            f"it, or remove {folder}"
        )
    return folder


def frozen(log_dir, classes, md5, limit):
    """The newest `limit` rows, and what was passed over; older days than needed are not read."""
    rows, labels, keys, counted = project((), classes, md5)
    parts, others, read = [rows], [keys], 0
    days = sorted(log_dir.glob(DAYS), reverse=True)
    for path in progress(days, desc="snapshot", unit=" days"):
        if sum(map(len, parts)) >= limit:
            break
        with path.open("rb") as lines:
            rows, told, keys, found = project(lines, classes, md5)
        counted.update(found)
        counted["labels_replaced"] += len(told.keys() & labels.keys())
        # A label comes after its prediction: in days that have been read already, or in this.
        labels = told | labels
        parts.append(rows)
        others.append(keys)
        read += 1
    rows, found = join(np.concatenate(parts), labels, np.concatenate(others), limit)
    facts = {"days": len(days), "days_read": read}
    return rows, facts | {name: counted[name] + found[name] for name in COUNTED}


def main(knobs):
    folder = served()
    model = read_json(folder / "card.json")
    md5 = model["model"]["md5"]
    origin = folder / "origin.json"
    version = read_json(origin)["version"] if origin.is_file() else "untagged"
    log_dir = Path(knobs["log_dir"])
    rows, facts = frozen(log_dir, model["classes"], md5, knobs["limit"])
    with whole("data/snapshot.npy") as target, target.open("wb") as file:
        np.save(file, rows)
    with whole("data/reference.csv") as target:
        shutil.copyfile(folder / "reference.csv", target)
    write_json("metrics/snapshot.json", {"model_version": version, "md5": md5} | facts)
    passed = {name: n for name, n in facts.items() if n and name not in ("predictions", "days")}
    return f"{len(rows)} predictions of {folder.name} {version} in {log_dir}; {passed or 'no more'}"


if __name__ == "__main__":
    run("snapshot", main)
