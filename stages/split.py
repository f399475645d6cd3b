"""Group near-duplicates, split into train and test, and measure what crosses."""

from functools import partial

import numpy as np

from flowers.learning.splits import split_figures, strategies
from flowers.photos.twin_search import all_pairs, examples, twin_search
from flowers.photos.twins import groups_of
from flowers.tables import read_csv, write_csv, write_json
from stages._files import progress, write_sheet
from stages._run import run
from stages._workers import stage_workers

SHOWN = 12  # pairs of twins on the contact sheet


def main(knobs):
    index, images = read_csv("data/index.csv"), np.load("data/images.npy", mmap_mode="r")
    labels, strategy = index["label"], knobs["strategy"]
    thresholds = {"colour": knobs["twin_correlation"], "structure": knobs["twin_structure"]}
    bar = partial(progress, desc="split", unit=" blocks")
    with stage_workers():
        found = twin_search(images, thresholds | {"crop": knobs["twin_crop"]}, bar)
    pairs = all_pairs(found)
    groups = groups_of(pairs, len(labels))
    tests = strategies(labels, groups, knobs["test_size"], knobs["seed"])
    figures = split_figures(labels, groups, pairs, tests, strategy)
    figures["found_by"] = {signal: len(its_own) for signal, (its_own, _) in found.items()}
    rows = [
        {"row": i, "label": label, "group": group, "part": "test" if in_test else "train"}
        for i, (label, group, in_test) in enumerate(
            zip(labels, groups, tests[strategy], strict=True)
        )
    ]
    write_csv("data/split.csv", rows)
    write_json("metrics/split.json", figures)
    shown, captions = examples(found, labels, SHOWN)
    write_sheet("plots/twins.jpg", images[shown], captions)
    return (
        f"{len(labels)} photos, {figures['distinct']} distinct; "
        f"{figures['crossing']} test photos have a twin in train"
    )


if __name__ == "__main__":
    run("split", main)
