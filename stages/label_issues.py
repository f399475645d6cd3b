"""List the images whose label is probably wrong, for review."""

import numpy as np

from flowers.base.tables import read_csv, to_rows, write_csv
from flowers.evaluation.label_issues import NEAR_DUPLICATE, find_label_issues
from flowers.images.contact_sheet import write_contact_sheet
from stages.support.files import load_split
from stages.support.run import run_stage


def main(params):
    rows = load_split()
    index = read_csv("data/index.csv")
    labels = rows["label"]
    classes = np.unique(labels)
    probabilities = np.empty((len(labels), len(classes)))
    for path in ("data/out_of_fold.csv", "metrics/predictions.csv"):  # training and test images
        table = read_csv(path)
        columns = np.column_stack([table[f"svm_{c}"] for c in classes])
        probabilities[table["row"].astype(int)] = columns
    issues, suggested, margin, reason = find_label_issues(
        labels, rows["group"], probabilities, classes
    )
    columns = {
        "path": index["path"][issues],
        "sha256": index["sha256"][issues],
        "label": labels[issues],
        "suggested": suggested,
        "margin": [f"{m:.4f}" for m in margin],
        "reason": reason,
        "part": rows["part"][issues],
    }
    lines = to_rows(columns)
    write_csv("metrics/label_issues.csv", lines, tuple(columns), escape=True)
    count = params["evaluate.sheet_size"]
    captions = [f"{r['label']}: {r['suggested']} {r['margin'][:-2]}" for r in lines[:count]]
    images = np.load("data/images.npy", mmap_mode="r")[issues[:count]]
    write_contact_sheet("plots/label_issues.jpg", images, captions)
    return f"{len(lines)} label issues, {np.sum(reason == NEAR_DUPLICATE)} among near-duplicates"


if __name__ == "__main__":
    run_stage("label_issues", main)
