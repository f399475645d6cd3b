"""Group near-duplicates, split into train and test, and measure what crosses."""

from functools import partial

import numpy as np

from flowers.base.tables import read_csv, write_csv, write_json
from flowers.duplicates.colour import group_pairs
from flowers.duplicates.search import find_near_duplicates, merge_pairs, select_examples
from flowers.images.contact_sheet import write_contact_sheet
from flowers.splits import split_by_strategy, summarise_split
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

SHOWN = 12  # pairs of twins on the contact sheet


def main(params):
    index, images = read_csv("data/index.csv"), np.load("data/images.npy", mmap_mode="r")
    labels, strategy = index["label"], params["strategy"]
    thresholds = {
        "colour": params["near_duplicate_colour"],
        "structure": params["near_duplicate_structure"],
    }
    bar = partial(show_progress, desc="split", unit=" blocks")
    with use_stage_workers():
        found = find_near_duplicates(
            images, thresholds | {"crop": params["near_duplicate_crop"]}, bar
        )
    pairs = merge_pairs(found)
    groups = group_pairs(pairs, len(labels))
    tests = split_by_strategy(labels, groups, params["test_size"], params["seed"])
    figures = summarise_split(labels, groups, pairs, tests, strategy)
    figures["pairs_by_signal"] = {signal: len(its_own) for signal, (its_own, _) in found.items()}
    rows = [
        {"row": i, "label": label, "group": group, "part": "test" if in_test else "train"}
        for i, (label, group, in_test) in enumerate(
            zip(labels, groups, tests[strategy], strict=True)
        )
    ]
    write_csv("data/split.csv", rows)
    write_json("metrics/split.json", figures)
    shown, captions = select_examples(found, labels, SHOWN)
    write_contact_sheet("plots/near_duplicates.jpg", images[shown], captions)
    return (
        f"{len(labels)} photos, {figures['distinct']} distinct; "
        f"{figures['leaked_test_photos']} test photos have a twin in train"
    )


if __name__ == "__main__":
    run_stage("split", main)
