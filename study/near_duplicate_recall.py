"""How good the twin search is: python -m study.near_duplicate_recall [ARCHIVE].

Altered copies are planted among drawn photos and, if their archive is there, among real ones. Of
the pairs that real photos have themselves it counts those judged wrong by their looks, and it says
what each signal does to the accuracy on grouped folds.
"""

import csv
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import yaml
from sklearn.model_selection import StratifiedKFold

from flowers.base.tables import read_json, write_json, write_text
from flowers.duplicates.colour import group_pairs
from flowers.duplicates.search import find_near_duplicates, merge_pairs
from flowers.features.extraction import extract
from flowers.images.decoding import decode_image, resize_square
from flowers.learning.folds import grouped_folds
from flowers.learning.svm import GramSVC
from flowers.sources.files import iterate_archive
from flowers.synthetic.collection import generate_images
from flowers.synthetic.picture import SPECIES
from study.alterations import ALTERATIONS
from study.near_duplicate_chart import twin_chart
from study.repository import ROOT

ARCHIVE = ROOT.parent / "shared" / "real-flowers.zip"
FIGURES, CHART = (
    ROOT / "metrics" / "near_duplicates.json",
    ROOT / "plots" / "near_duplicate_recall.svg",
)
JUDGED = ROOT / "study" / "near_duplicates_judged.csv"
SIDE, ALTERED = 128, 60
LONGEST = 320  # pixels of a photo that is altered: most of the real ones are not larger
PER_CLASS = 200  # drawn photos: the more, the more pairs that may be wrong
FOLDS, SEEDS = 5, 2


def thresholds():
    """The default ones."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())["split"]
    names = {
        "colour": "near_duplicate_colour",
        "structure": "near_duplicate_structure",
        "crop": "near_duplicate_crop",
    }
    return {signal: params[name] for signal, name in names.items()}


def recall(files, images, found):
    """Share of altered copies that are found, by the first signal that does; and wrong pairs."""
    rows = np.linspace(0, len(images) - 1, min(ALTERED, len(images))).astype(int)
    count, known = len(rows), group_pairs(merge_pairs(found), len(images))
    photos = []
    for row in rows:
        photos.append(decode_image(files[row])[0])
        photos[-1].thumbnail((LONGEST, LONGEST))
    shares, wrong = {}, 0
    for k, (name, altered) in enumerate(ALTERATIONS.items()):
        copies = [
            resize_square(altered(p, np.random.default_rng((k, i))), SIDE)
            for i, p in enumerate(photos)
        ]
        both = np.concatenate([images[rows], np.stack(copies)])
        search = find_near_duplicates(both, thresholds())
        shares[name] = {}
        for signal, (pairs, _) in search.items():
            original, copy = pairs[(pairs[:, 0] < count) & (pairs[:, 1] >= count)].T
            copy = copy - count
            shares[name][signal] = float((original == copy).sum() / count)
            wrong += int((known[rows[original]] != known[rows[copy]]).sum())
        print(name, shares[name], flush=True)
    return {
        "altered": count,
        "found": shares,
        "wrong_pairs_per_1000_copies": 1000 * wrong / (count * len(ALTERATIONS)),
    }


def judged(files, found):
    """Pairs of real photos by signal, and how those that were looked at were judged."""
    digests = [sha256(content).hexdigest()[:16] for content in files]
    with JUDGED.open(newline="") as file:
        known = {frozenset((r["first"], r["second"])): r["twins"] for r in csv.DictReader(file)}
    figures = {}
    for signal, (pairs, _) in found.items():
        said = [known.get(frozenset((digests[i], digests[j]))) for i, j in pairs.tolist()]
        figures[signal] = {
            "pairs": len(pairs),
            "judged": len(said) - said.count(None),
            "wrong": said.count("no"),
            "wrong_per_1000_photos": 1000 * said.count("no") / len(files),
        }
    return figures


def accuracies(labels, images, found):
    """SVM on hog and colour under the folds that each rule gives, all photos answered once."""
    batches = range(0, len(images), 100)
    X = np.concatenate([extract(images[k : k + 100], ["hog", "colour"]) for k in batches])
    every = group_pairs(merge_pairs(found), len(images))
    rules = {"none": None}
    for k in range(len(found)):
        names = list(found)[: k + 1]
        pairs = merge_pairs({name: found[name] for name in names})
        rules[" + ".join(names)] = group_pairs(pairs, len(images))
    figures = {}
    for rule, groups in rules.items():
        scores, leaks = [], []
        for seed in range(SEEDS):
            if groups is None:
                splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
                folds = splitter.split(X, labels)
            else:
                folds = grouped_folds(labels, groups, FOLDS, seed)
            for train, test in folds:
                within = None if groups is None else groups[train]
                model = GramSVC().fit(X[train], labels[train], within)
                scores.append((model.predict(X[test]) == labels[test]).mean())
                leaks.append(np.isin(every[test], every[train]).mean())
        by_seed = np.reshape(scores, (SEEDS, FOLDS)).mean(axis=1)
        figures[rule] = {
            "distinct": len(images) if groups is None else int(groups.max()) + 1,
            "accuracy": float(np.mean(scores)),
            "deviation_of_folds": float(np.std(scores, ddof=1)),
            "by_seed": by_seed,
            "leakage": float(np.mean(leaks)),
        }
        print(rule, figures[rule], flush=True)
    return {"features": ["hog", "colour"], "folds": FOLDS, "seeds": SEEDS, "rules": figures}


def readable(files):
    """Labels, bytes and pixels."""
    labels, contents, images = [], [], []
    for label, content in files:
        labels.append(label)
        contents.append(content)
        images.append(resize_square(decode_image(content)[0], SIDE))
    return np.array(labels), contents, np.stack(images)


def drawn_figures():
    """Of photos that are all distinct, so that any pair is wrong."""
    drawn = list(generate_images(PER_CLASS, near_duplicate_share=0, wrong_labels=0))[
        : PER_CLASS * len(SPECIES)
    ]
    _, files, images = readable((name.split("/")[0], content) for name, content in drawn)
    found = find_near_duplicates(images, thresholds())
    pairs = len(merge_pairs(found))
    wrong = {"pairs": pairs, "wrong_per_1000_photos": 1000 * pairs / len(images)}
    return {"photos": len(images), "unaltered": wrong} | recall(files, images, found)


def real_figures(archive):
    """Of the photos in an archive."""
    listed = sorted(iterate_archive(str(archive), ROOT / "data" / "downloads"))
    labels, files, images = readable((label, content) for label, _, content in listed if label)
    found = find_near_duplicates(images, thresholds())
    seen = {"photos": len(images), "unaltered": judged(files, found)}
    return seen | recall(files, images, found) | {"accuracy": accuracies(labels, images, found)}


def main(archive):
    figures = {"thresholds": thresholds(), "synthetic": drawn_figures()}
    if archive.is_file():
        figures["real"] = real_figures(archive)
    else:
        print(f"no {archive}: the figures of real photos stay as they are")
        figures["real"] = read_json(FIGURES)["real"]
    write_json(FIGURES, figures)
    write_text(CHART, twin_chart({name: figures[name] for name in ("synthetic", "real")}))
    print(f"wrote {FIGURES.relative_to(ROOT)}; make readme writes its tables")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ARCHIVE)
