"""Group near-duplicates, split the images into train and test, and measure the leakage."""

from functools import partial

import numpy as np

from flowers.base.tables import read_csv, to_rows, write_csv, write_json
from flowers.duplicates import search
from flowers.images.contact_sheet import write_contact_sheet
from flowers.splits import align_parts, describe_split, split_by_strategy, summarise_split
from stages.support.files import show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

SHEET_SIZE = 12  # pairs of near-duplicates on the contact sheet


def main(params):
    index = read_csv("data/index.csv")
    labels = index["label"]
    parts = align_parts(index["path"], read_csv("data/parts.csv"))
    images = np.load("data/images.npy", mmap_mode="r")
    thresholds = {
        "colour": params["near_duplicate_colour"],
        "structure": params["near_duplicate_structure"],
        "crop": params["near_duplicate_crop"],
    }
    bar = partial(show_progress, desc="split", unit=" blocks")
    with use_stage_workers():
        matches = search.find_near_duplicates(images, thresholds, bar)
    pairs = search.merge_pairs(matches)
    groups = search.group_pairs(pairs, len(labels))
    strategy = params["strategy"]
    tests = split_by_strategy(labels, groups, params["test_size"], params["seed"], strategy, parts)
    figures = summarise_split(labels, groups, pairs, tests, strategy, parts)
    figures["pairs_by_signal"] = {signal: len(new) for signal, (new, _) in matches.items()}
    part = np.where(tests[strategy], "test", "train")
    table = {"row": range(len(labels)), "label": labels, "group": groups, "part": part}
    write_csv("data/split.csv", to_rows(table))
    write_json("metrics/split.json", figures)
    rows, captions = search.select_examples(matches, labels, SHEET_SIZE)
    write_contact_sheet("plots/near_duplicates.jpg", images[rows], captions)
    return describe_split(figures)


if __name__ == "__main__":
    run_stage("split", main)
