"""Decode and resize every photo once; rejected files are listed."""

from pathlib import Path

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import atomic_write, write_csv, write_json
from flowers.images.contact_sheet import COLUMNS, select_evenly, write_contact_sheet
from flowers.images.index import INDEX_COLUMNS, REJECTED_COLUMNS, load_image, write_images
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers


def main(params):
    paths = sorted(Path("data/photos").resolve().glob("*/*"), key=Path.as_posix)
    size = params["size"]
    results = parallel_map(load_image, ((path, size) for path in paths))
    results = show_progress(results, total=len(paths), desc="resize")
    with use_stage_workers(), atomic_write("data/images.npy") as target, target.open("wb") as file:
        index, rejected, figures = write_images(results, file, size)
    write_csv("data/index.csv", index, INDEX_COLUMNS)
    write_csv("metrics/resize_rejected.csv", rejected, REJECTED_COLUMNS)
    write_json("metrics/resize.json", figures)
    images = np.load("data/images.npy", mmap_mode="r")
    labels = np.array([row["label"] for row in index])
    rows = select_evenly(labels, COLUMNS)
    write_contact_sheet("plots/photos.jpg", images[rows], labels[rows])
    return f"{len(index)} photos of {size} x {size}, {len(rejected)} rejected"


if __name__ == "__main__":
    run_stage("resize", main)
