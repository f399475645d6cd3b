"""Time and memory of the drift stages on 1,000,000 predictions: python -m benchmarks.drift."""

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import measure_command
from study.repository import clone_repository

PREDICTIONS = 1_000_000
PER_DAY = 50_000
LIMITS = (1, 100_000, PREDICTIONS)  # with limit 1: the start of Python and DVC
CANDIDATE = Path("models/candidate")
START = datetime(2026, 1, 1, tzinfo=UTC)


def generate_day(day, card, rng):
    """Yield the log records of one day: random predictions, and a true label for every tenth."""
    classes = card["classes"]
    start = START + timedelta(days=day)
    probabilities = rng.dirichlet(np.ones(len(classes)), PER_DAY)
    statistics = rng.random((PER_DAY, 8)).round(4).tolist()
    for i in range(PER_DAY):
        request = {
            "time": (start + timedelta(seconds=i)).isoformat(timespec="microseconds"),
            "request_id": f"{day:012d}-{i:023d}",
            "index": 0,
        }
        yield request | {
            "kind": "prediction",
            "role": "production",
            "model_version": "untagged",
            "model_md5": card["model"]["md5"],
            "label": classes[probabilities[i].argmax()],
            "probabilities": dict(zip(classes, probabilities[i].tolist(), strict=True)),
            "image": {
                "mean": statistics[i][:3],
                "std": statistics[i][3:6],
                "brightness": statistics[i][6],
                "sharpness": statistics[i][7],
            },
            "photo_sha256": f"{day:032x}{i:032x}"[::-1],
            "latency_ms": 1.0,
        }
        if i % 10 == 0:
            yield request | {"kind": "feedback", "true_label": classes[i % len(classes)]}


def write_log(folder, card):
    """Write a log of `PREDICTIONS` predictions."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for day in range(PREDICTIONS // PER_DAY):
        name = f"{START + timedelta(days=day):%Y-%m-%d}.jsonl"
        with (folder / name).open("w") as file:
            for record in generate_day(day, card, rng):
                file.write(f"\n{json.dumps(record)}\n")


def main():
    with clone_repository() as clone:
        shutil.copytree(CANDIDATE, clone / CANDIDATE)
        write_log(clone / "logs", json.loads((CANDIDATE / "card.json").read_text()))
        params = clone / "params.yaml"
        for limit in LIMITS:
            params.write_text(re.sub(r"limit: \d+", f"limit: {limit}", params.read_text()))
            for stage in ("snapshot", "drift"):
                figures = measure_command(f"{sys.executable} -m stages.{stage}", clone)
                print(f"{stage}, newest {limit}: {figures}", flush=True)


if __name__ == "__main__":
    main()
