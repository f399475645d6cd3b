"""The drift report of a long log: time and memory of its stages at 1,000,000 predictions."""

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import measure_command
from study.repository import clone_repository

PREDICTIONS, PER_DAY = 1_000_000, 50_000
LIMITS = (1, 100_000, PREDICTIONS)  # the first shows what starting Python and DVC takes
CANDIDATE = Path("models/candidate")
START = datetime(2026, 1, 1, tzinfo=UTC)


def write_log(folder, card):
    """A log of random answers, one feedback record to ten predictions."""
    classes, rng = card["classes"], np.random.default_rng(0)
    folder.mkdir()
    for day in range(PREDICTIONS // PER_DAY):
        when = START + timedelta(days=day)
        shares = rng.dirichlet(np.ones(len(classes)), PER_DAY)
        images = rng.random((PER_DAY, 8)).round(4)
        with (folder / f"{when:%Y-%m-%d}.jsonl").open("w") as file:
            for i in range(PER_DAY):
                told = {
                    "time": (when + timedelta(seconds=i)).isoformat(timespec="microseconds"),
                    "request_id": f"{day:012d}-{i:023d}",
                    "index": 0,
                }
                numbers = images[i].tolist()
                record = told | {
                    "kind": "prediction",
                    "role": "production",
                    "model_version": "untagged",
                    "model_md5": card["model"]["md5"],
                    "label": classes[shares[i].argmax()],
                    "probabilities": dict(zip(classes, shares[i].tolist(), strict=True)),
                    "image": {
                        "mean": numbers[:3],
                        "std": numbers[3:6],
                        "brightness": numbers[6],
                        "sharpness": numbers[7],
                    },
                    "photo_sha256": f"{day:032x}{i:032x}"[::-1],
                    "latency_ms": 1.0,
                }
                file.write(f"\n{json.dumps(record)}\n")
                if i % 10 == 0:
                    told |= {"kind": "feedback", "true_label": classes[i % len(classes)]}
                    file.write(f"\n{json.dumps(told)}\n")


def main():
    with clone_repository() as copy:
        shutil.copytree(CANDIDATE, copy / CANDIDATE)
        card = json.loads((CANDIDATE / "card.json").read_text())
        write_log(copy / "logs", card)
        print(f"{PREDICTIONS} logged predictions\n{'':<28}{'wall s':>8}{'peak MB':>9}")
        params = copy / "params.yaml"
        for limit in LIMITS:
            params.write_text(re.sub(r"limit: \d+", f"limit: {limit}", params.read_text()))
            for stage in ("snapshot", "drift"):
                wall, _, peak = measure_command(f"{sys.executable} -m stages.{stage}", copy)
                print(f"{f'{stage}, newest {limit}':<28}{wall:>8.1f}{peak:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
