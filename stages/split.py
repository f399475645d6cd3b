"""Group near-duplicates, split into train and test, and measure what crosses."""

import numpy as np

from flowers.photos.contact_sheet import contact_sheet
from flowers.photos.twins import (
    grouped_split,
    groups_of,
    random_split,
    require_groups,
    twin_pairs,
    twin_share,
)
from stages._files import read_csv, whole, write_csv, write_json
from stages._run import run

SHOWN = 12  # pairs of twins on the contact sheet


def main(knobs):
    index, images = read_csv("data/index.csv"), np.load("data/images.npy", mmap_mode="r")
    labels, size, seed = index["label"], knobs["test_size"], knobs["seed"]
    pairs, correlation = twin_pairs(images, knobs["twin_correlation"])
    groups = groups_of(pairs, len(labels))
    require_groups(labels, groups, 4, "add photos, or leave the class out")
    tests = {
        "grouped": grouped_split(labels, groups, size, seed),
        "random": random_split(labels, size, seed),
    }
    test = tests[knobs["strategy"]]
    rows = [
        {"row": i, "label": label, "group": group, "part": "test" if in_test else "train"}
        for i, (label, group, in_test) in enumerate(zip(labels, groups, test, strict=True))
    ]
    write_csv("data/split.csv", rows, ("row", "label", "group", "part"))

    mixed = labels[pairs[:, 0]] != labels[pairs[:, 1]]
    crossing = int(np.isin(groups[test], groups[~test]).sum())
    write_json(
        "metrics/split.json",
        {
            "strategy": knobs["strategy"],
            "photos": len(labels),
            "distinct": int(groups.max()) + 1,
            "twin_pairs": len(pairs),
            "two_labels": len(np.unique(groups[pairs[mixed, 0]])),
            "train": int((~test).sum()),
            "test": int(test.sum()),
            "crossing": crossing,
            "twin_in_train_share": {k: twin_share(groups, t) for k, t in tests.items()},
        },
    )
    # The pairs with two labels first, then the faintest likeness that still counts.
    shown = pairs[np.lexsort((correlation, ~mixed))[:SHOWN]].ravel()
    with whole("plots/twins.jpg") as target:
        contact_sheet(images[shown], labels[shown], 8).save(target, "JPEG", quality=88)
    return (
        f"{len(labels)} photos, {groups.max() + 1} distinct; "
        f"{crossing} test photos have a twin in train"
    )


if __name__ == "__main__":
    run("split", main)
