"""The drift report of a simulated month that docs/drift.md shows: python -m study.simulated_month.

The test photos of the candidate, each with a random change of brightness, arrive for 30 days; from
the 16th day on they are grey. `make drift` reads their predictions from a log in a clone. Writes
docs/shown/drift.txt, docs/drift-tests.svg and docs/drift-accuracy.svg.
"""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np

from flowers.base.tables import read_csv
from flowers.drift_simulation.shifts import remove_colour
from flowers.images.index import get_sizes
from flowers.log import day_files
from flowers.log.record import build_prediction_record
from flowers.model import folder as model_folder
from flowers.model.reference import read_reference
from study.repository import ENVIRONMENT, ROOT, clone_repository

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
PER_DAY = 60
SHIFT_DAY = 15
BRIGHTNESS = 24  # greatest offset, of 255
CANDIDATE = "models/candidate"
CHARTS = ("tests", "accuracy")


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


def main():
    predictor = model_folder.load_predictor(ROOT / CANDIDATE)
    reference = read_reference(model_folder.find_reference(ROOT / CANDIDATE))
    images = np.load(ROOT / "data/images.npy", mmap_mode="r")[reference.row]
    sizes = get_sizes(read_csv(ROOT / "data/index.csv"))[reference.row]
    with clone_repository() as clone:
        shutil.copytree(ROOT / CANDIDATE, clone / CANDIDATE)
        write_log(clone / "logs", predictor, draw_days(images, sizes))
        command = (sys.executable, "-m", "scoring", "drift")  # of make drift
        settings = ENVIRONMENT | {"LOG_DIR": "logs", "MODEL_DIR": CANDIDATE}
        output = subprocess.run(
            command, cwd=clone, env=settings, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        for name in CHARTS:
            shutil.copy(clone / f"monitoring/drift/{name}.svg", ROOT / f"docs/drift-{name}.svg")
    (ROOT / "docs/shown/drift.txt").write_text(f"$ make drift\n{output}")
    print(output, end="")


if __name__ == "__main__":
    main()
