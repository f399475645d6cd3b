"""Log files as the scorer writes them, with predictions drawn from the reference set of a run."""

import csv
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby

import numpy as np

from flowers.images.statistics import STATISTIC_NAMES
from flowers.log import day_files

START = datetime(2026, 1, 1, tzinfo=UTC)


def read_card(repo):
    return json.loads((repo.path / "models/candidate/card.json").read_text())


def read_figures(repo, name):
    folder = f"monitoring/{name}" if name in ("snapshot", "drift") else "metrics"
    return json.loads((repo.path / folder / f"{name}.json").read_text())


def format_time(minutes):
    return (START + timedelta(minutes=minutes)).isoformat(timespec="microseconds")


def make_predictions(repo, count, first=0, wrong=False, uniform=0.0, **members):
    """Records a minute apart, each of another image.

    `wrong` assigns the probabilities wrongly; `uniform` is the share of even probabilities in them.
    """
    with (repo.path / "models/candidate/reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    card = read_card(repo)
    classes = card["classes"]
    records = []
    for number, row in enumerate(np.random.default_rng(first).choice(rows, count), first):
        probabilities = [float(row[f"p_{c}"]) for c in classes]
        probabilities = [(1 - uniform) * p + uniform / len(classes) for p in probabilities]
        if wrong:
            probabilities = np.sort(probabilities)[::-1].tolist()
        image = [float(row[f"image_{name}"]) for name in STATISTIC_NAMES]
        image[3] += number * 1e-6
        record = {
            "time": format_time(number),
            "kind": "prediction",
            "request_id": f"r{number}",
            "index": 0,
            "role": "production",
            "model_version": "untagged",
            "model_md5": card["model"]["md5"],
            "label": classes[int(np.argmax(probabilities))],
            "probabilities": dict(zip(classes, probabilities, strict=True)),
            "image": {"mean": image[:3], "std": image[3:6]}
            | {"brightness": image[6], "sharpness": image[7]},
            "photo_sha256": sha256(f"photo {number}".encode()).hexdigest(),
            "typicality": float(row["typicality"]),
        }
        records.append(record | members)
    return records


def make_feedback(number, label, minutes=10_000, index=0):
    record = {"time": format_time(minutes), "kind": "feedback", "request_id": f"r{number}"}
    return record | {"index": index, "true_label": label}


def write_records(repo, records, folder=None):
    """Write each record into the file of its day."""
    for _, day in groupby(sorted(records, key=get_day), get_day):
        day_files.append_records(folder or repo.path / "logs", list(day))


def get_day(record):
    return record["time"][:10]


def refresh_drift(repo):
    """Do what `make drift` does: run the stages without DVC."""
    for name in ("snapshot", "drift"):
        repo.run_stage(name)
