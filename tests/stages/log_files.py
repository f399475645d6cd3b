"""Logs as the scorer would have written them, with answers drawn from the reference of a run."""

import csv
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np

from flowers.images.statistics import STATISTIC_NAMES
from flowers.log import day_files

START = datetime(2026, 1, 1, tzinfo=UTC)


def card(repo_copy):
    return json.loads((repo_copy.path / "models/candidate/card.json").read_text())


def figures(repo_copy, name):
    return json.loads((repo_copy.path / f"metrics/{name}.json").read_text())


def when(minutes):
    return (START + timedelta(minutes=minutes)).isoformat(timespec="microseconds")


def predictions(repo_copy, count, first=0, wrong=False, **facts):
    """Records a minute apart: reference rows drawn again; `wrong` turns their classes around."""
    with (repo_copy.path / "models/candidate/reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    about = card(repo_copy)
    classes, records = about["classes"], []
    for number, row in enumerate(np.random.default_rng(first).choice(rows, count), first):
        shares = [float(row[f"p_{c}"]) for c in classes]
        shares = np.sort(shares)[::-1].tolist() if wrong else shares
        seen = [float(row[f"image_{name}"]) for name in STATISTIC_NAMES]
        record = {
            "time": when(number),
            "kind": "prediction",
            "request_id": f"r{number}",
            "index": 0,
            "role": "production",
            "model_version": "untagged",
            "model_md5": about["model"]["md5"],
            "label": classes[int(np.argmax(shares))],
            "probabilities": dict(zip(classes, shares, strict=True)),
            # Each is a photo of its own.
            "image": {
                "mean": seen[:3],
                "std": [seen[3] + number * 1e-6, *seen[4:6]],
                "brightness": seen[6],
                "sharpness": seen[7],
            },
            "photo_sha256": sha256(f"photo {number}".encode()).hexdigest(),
        }
        records.append(record | facts)
    return records


def feedback(number, label, minutes=10_000, index=0):
    return {
        "time": when(minutes),
        "kind": "feedback",
        "request_id": f"r{number}",
        "index": index,
        "true_label": label,
    }


def write(repo_copy, records, folder=None):
    """Each record into the file of its day."""
    by_day = {}
    for record in records:
        by_day.setdefault(record["time"][:10], []).append(record)
    for same in by_day.values():
        day_files.append_records(folder or repo_copy.path / "logs", same)


def refresh(repo_copy):
    """What `make drift` does; the names of the stages that run."""
    return [
        *repo_copy.repro("snapshot", force=True, single_item=True),
        *repo_copy.repro("drift", single_item=True),
        *repo_copy.repro("report", single_item=True),
    ]
