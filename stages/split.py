"""Group near-duplicates, split into train and test, and measure what crosses."""

from functools import partial

import numpy as np

from flowers.base.tables import read_csv, write_csv, write_json
from flowers.duplicates.colour import groups_of
from flowers.duplicates.search import all_pairs, examples, twin_search
from flowers.images.contact_sheet import write_contact_sheet
from flowers.splits import split_figures, strategies
from stages.support.files import progress
from stages.support.run import run
from stages.support.workers import stage_workers

SHOWN = 12  # pairs of twins on the contact sheet


def main(params):
    index, images = read_csv("data/index.csv"), np.load("data/images.npy", mmap_mode="r")
    labels, strategy = index["label"], params["strategy"]
    thresholds = {
        "colour": params["near_duplicate_colour"],
        "structure": params["near_duplicate_structure"],
    }
    bar = partial(progress, desc="split", unit=" blocks")
    with stage_workers():
        found = twin_search(images, thresholds | {"crop": params["near_duplicate_crop"]}, bar)
    pairs = all_pairs(found)
    groups = groups_of(pairs, len(labels))
    tests = strategies(labels, groups, params["test_size"], params["seed"])
    figures = split_figures(labels, groups, pairs, tests, strategy)
    figures["pairs_by_signal"] = {signal: len(its_own) for signal, (its_own, _) in found.items()}
    rows = [
        {"row": i, "label": label, "group": group, "part": "test" if in_test else "train"}
        for i, (label, group, in_test) in enumerate(
            zip(labels, groups, tests[strategy], strict=True)
        )
    ]
    write_csv("data/split.csv", rows)
    write_json("metrics/split.json", figures)
    shown, captions = examples(found, labels, SHOWN)
    write_contact_sheet("plots/near_duplicates.jpg", images[shown], captions)
    return (
        f"{len(labels)} photos, {figures['distinct']} distinct; "
        f"{figures['leaked_test_photos']} test photos have a twin in train"
    )


if __name__ == "__main__":
    run("split", main)
