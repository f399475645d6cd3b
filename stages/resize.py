"""Decode every photo once; what cannot be decoded is listed and left out."""

from collections import Counter
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from flowers.errors import BadInput, Rejected
from flowers.parallel import mapped
from flowers.photos.contact_sheet import contact_sheet
from flowers.photos.decoding import NOTES, decode, square
from stages._files import progress, whole, write_csv, write_json
from stages._run import run

COLUMNS = ("row", "label", "path", "sha256", "width", "height")
SHOWN = 8  # photos of each class on the contact sheet


def squared(path, size):
    """The pixels of a photo, its row of the index and its notes; or the reason it has none."""
    data = path.read_bytes()
    row = {"label": path.parent.name, "path": f"{path.parent.name}/{path.name}"}
    try:
        image, notes = decode(data)
        pixels = square(image, size)
    except Rejected as error:
        return None, row | {"reason": error.reason, "detail": error.detail}, ()
    row |= {"sha256": sha256(data).hexdigest(), "width": image.width, "height": image.height}
    return pixels, row, notes


def main(knobs):
    paths = sorted(Path("data/photos").glob("*/*"), key=Path.as_posix)
    size, index, rejected, treated = knobs["size"], [], [], Counter(dict.fromkeys(NOTES, 0))
    results = mapped(partial(squared, size=size), paths, knobs["jobs"], knobs["backend"])
    with TemporaryFile(dir="data") as scratch, whole("data/images.npy") as target:
        images = np.memmap(scratch, np.uint8, "w+", shape=(len(paths), size, size, 3))
        for pixels, row, notes in progress(results, total=len(paths), desc="resize"):
            treated.update(notes)
            if pixels is None:
                rejected.append(row)
            else:
                images[len(index)] = pixels
                index.append({"row": len(index)} | row)
        lost = {path.parent.name for path in paths} - {row["label"] for row in index}
        if lost:
            raise BadInput(f"no photo of {sorted(lost)} can be read: {rejected[0]}; replace them")
        with target.open("wb") as file:
            np.save(file, images[: len(index)])
    report(index, rejected, treated)
    return f"{len(index)} photos of {size} x {size}, {len(rejected)} unreadable set aside"


def report(index, rejected, treated):
    """The index, what was set aside, what was special, and some photos of each class to look at."""
    write_csv("data/index.csv", index, COLUMNS)
    write_csv("metrics/resize_rejected.csv", rejected, ("label", "path", "reason", "detail"))
    reasons = Counter(row["reason"] for row in rejected)
    figures = {
        "photos": len(index),
        "same_bytes": len(index) - len({row["sha256"] for row in index}),
        "rejected": {"total": len(rejected)} | dict(sorted(reasons.items())),
        "treated": dict(treated),
    }
    write_json("metrics/resize.json", figures)
    labels = np.array([row["label"] for row in index])
    shown = [
        rows[np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).astype(int)]
        for rows in (np.flatnonzero(labels == label) for label in np.unique(labels))
    ]
    shown = np.concatenate(shown)
    images = np.load("data/images.npy", mmap_mode="r")
    with whole("plots/photos.jpg") as target:
        contact_sheet(images[shown], labels[shown], SHOWN).save(target, "JPEG", quality=88)


if __name__ == "__main__":
    run("resize", main)
