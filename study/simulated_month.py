"""The drift report of a simulated month that docs/drift.md shows: python -m study.simulated_month.

The test photos of the candidate, each with a random change of brightness, arrive for 30 days; from
the 16th day on they are grey. The stages snapshot and drift read their predictions from a log in a
temporary folder. Writes docs/shown/drift.txt, docs/drift-tests.svg and docs/drift-accuracy.svg.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from flowers.base.tables import read_csv
from flowers.drift_simulation.shifts import remove_colour
from flowers.images.index import get_sizes
from flowers.log import day_files
from flowers.log.record import build_prediction_record
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from study.repository import ENVIRONMENT, ROOT

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
PER_DAY = 60
SHIFT_DAY = 15
BRIGHTNESS = 24  # greatest offset, of 255
CHARTS = ("tests", "accuracy")
KEYS = ("kind", "detected_by", "change_started_at", "detected_at")


def draw_days(images, sizes):
    """Yield the images (60, s, s, 3) and their sizes (60, 2) of each day."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(images))  # an image comes again as late as possible
    for day in range(DAYS):
        rows = order[np.arange(day * PER_DAY, (day + 1) * PER_DAY) % len(images)]
        offsets = rng.integers(-BRIGHTNESS, BRIGHTNESS + 1, (PER_DAY, 1, 1, 1))
        brightened = np.clip(images[rows] + offsets, 0, 255).astype(np.uint8)
        photos = remove_colour(brightened) if day >= SHIFT_DAY else brightened
        yield photos, sizes[rows].tolist()


def write_log(folder, predictor, days):
    """Write the predictions of each day into a log folder, evenly over the day."""
    for number, (images, sizes) in enumerate(days):
        samples = [predictor.to_sample(*photo) for photo in zip(images, sizes, strict=True)]
        records = []
        for index, prediction in enumerate(predictor.predict(samples)):
            time = START + timedelta(days=number, minutes=index * 24 * 60 / PER_DAY)
            photo = images[index].tobytes()
            name = f"{number}-{index}"
            record = build_prediction_record(predictor, prediction, name, 0, "production", photo)
            records.append(record | {"time": time.isoformat(timespec="microseconds")})
        day_files.append_records(folder, records)


def run_stages(folder):
    """Run snapshot and drift in a folder with a log; return the lines that they print."""
    for name in ("dvc.yaml", "power", "params.yaml", "params.schema.json", "models"):
        (folder / name).symlink_to(ROOT / name)
    settings = {"PYTHONPATH": str(ROOT), "LOG_DIR": "logs", "MODEL_DIR": "models/candidate"}
    return [
        subprocess.run(
            (sys.executable, "-m", f"stages.{stage}"),
            cwd=folder,
            env=ENVIRONMENT | settings | {"DVC_STAGE": stage},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()
        for stage in ("snapshot", "drift")
    ]


def main():
    predictor = model_folder.load_predictor(ROOT / "models/candidate")
    reference = read_reference(model_folder.find_reference(ROOT / "models/candidate"))
    images = np.load(ROOT / "data/images.npy", mmap_mode="r")[reference.row]
    sizes = get_sizes(read_csv(ROOT / "data/index.csv"))[reference.row]
    with tempfile.TemporaryDirectory(prefix="flowers-") as scratch:
        folder = Path(scratch)
        write_log(folder / "logs", predictor, draw_days(images, sizes))
        lines = run_stages(folder)
        report = json.loads((folder / "monitoring/drift/drift.json").read_text())
        alert = {key: report["alert"][key] for key in KEYS} if report["alert"] else None
        text = "\n".join(["$ make drift", *lines, json.dumps({"alert": alert}, indent=2)])
        (ROOT / "docs/shown/drift.txt").write_text(text + "\n")
        for name in CHARTS:
            shutil.copy(folder / f"monitoring/drift/{name}.svg", ROOT / f"docs/drift-{name}.svg")
    print(text)


if __name__ == "__main__":
    main()
