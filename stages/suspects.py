"""Rank the photos whose label disagrees with a confident held-out answer, or with a twin."""

import numpy as np

from flowers.evaluation.suspects import TWIN, suspects
from flowers.tables import read_csv, table_rows, write_csv
from stages._files import load_rows, write_sheet
from stages._run import run


def main(knobs):
    rows, index = load_rows(), read_csv("data/index.csv")
    classes = np.unique(rows["label"])
    shares = np.empty((len(rows["label"]), len(classes)))
    for path in ("data/held_out.csv", "metrics/predictions.csv"):  # training and test photos
        told = read_csv(path)
        shares[told["row"].astype(int)] = np.column_stack([told[f"svm_{c}"] for c in classes])
    photos, suggested, margin, reason = suspects(rows["label"], rows["group"], shares, classes)
    table = {"path": index["path"][photos], "sha256": index["sha256"][photos]}
    table |= {"label": rows["label"][photos], "suggested": suggested}
    table |= {"margin": [f"{m:.4f}" for m in margin], "reason": reason}
    table |= {"part": rows["part"][photos]}
    lines = table_rows(table)
    write_csv("metrics/suspects.csv", lines, tuple(table))
    count = knobs["evaluate.worst"]
    shown = lines[:count]
    captions = [f"{line['label']}: {line['suggested']} {line['margin'][:-2]}" for line in shown]
    images = np.load("data/images.npy", mmap_mode="r")
    write_sheet("plots/suspects.jpg", images[photos[:count]], captions)
    return f"{len(lines)} labels to check, {np.sum(reason == TWIN)} of them because of a twin"


if __name__ == "__main__":
    run("suspects", main)
