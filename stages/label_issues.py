"""Rank the photos whose label disagrees with a confident held-out answer, or with a twin."""

import numpy as np

from flowers.base.tables import read_csv, to_rows, write_csv
from flowers.evaluation.label_issues import NEAR_DUPLICATE, find_label_issues
from flowers.images.contact_sheet import write_contact_sheet
from stages.support.files import load_split
from stages.support.run import run_stage


def main(params):
    rows, index = load_split(), read_csv("data/index.csv")
    classes = np.unique(rows["label"])
    shares = np.empty((len(rows["label"]), len(classes)))
    for path in ("data/out_of_fold.csv", "metrics/predictions.csv"):  # training and test photos
        told = read_csv(path)
        shares[told["row"].astype(int)] = np.column_stack([told[f"svm_{c}"] for c in classes])
    photos, suggested, margin, reason = find_label_issues(
        rows["label"], rows["group"], shares, classes
    )
    table = {"path": index["path"][photos], "sha256": index["sha256"][photos]}
    table |= {"label": rows["label"][photos], "suggested": suggested}
    table |= {"margin": [f"{m:.4f}" for m in margin], "reason": reason}
    table |= {"part": rows["part"][photos]}
    lines = to_rows(table)
    write_csv("metrics/label_issues.csv", lines, tuple(table))
    count = params["evaluate.sheet_size"]
    shown = lines[:count]
    captions = [f"{line['label']}: {line['suggested']} {line['margin'][:-2]}" for line in shown]
    images = np.load("data/images.npy", mmap_mode="r")
    write_contact_sheet("plots/label_issues.jpg", images[photos[:count]], captions)
    conflicts = np.sum(reason == NEAR_DUPLICATE)
    return f"{len(lines)} labels to check, {conflicts} of them because of a near-duplicate"


if __name__ == "__main__":
    run_stage("label_issues", main)
