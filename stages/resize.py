"""Decode every photo once; what cannot be decoded is listed and left out."""

from functools import partial
from pathlib import Path

import numpy as np

from flowers.environment import backend, jobs
from flowers.parallel import mapped
from flowers.photos.contact_sheet import COLUMNS, evenly_spread
from flowers.photos.index import COLUMNS as INDEX
from flowers.photos.index import REJECTED, squared, written
from flowers.tables import whole, write_csv, write_json
from stages._files import progress, write_sheet
from stages._run import run


def main(knobs):
    paths = sorted(Path("data/photos").resolve().glob("*/*"), key=Path.as_posix)
    size = knobs["size"]
    results = mapped(partial(squared, size=size), paths, jobs(), backend())
    results = progress(results, total=len(paths), desc="resize")
    with whole("data/images.npy") as target, target.open("wb") as file:
        index, rejected, figures = written(results, file, size)
    write_csv("data/index.csv", index, INDEX)
    write_csv("metrics/resize_rejected.csv", rejected, REJECTED)
    write_json("metrics/resize.json", figures)
    images = np.load("data/images.npy", mmap_mode="r")
    labels = np.array([row["label"] for row in index])
    shown = evenly_spread(labels, COLUMNS)
    write_sheet("plots/photos.jpg", images[shown], labels[shown])
    return f"{len(index)} photos of {size} x {size}, {len(rejected)} unreadable set aside"


if __name__ == "__main__":
    run("resize", main)
