"""Recall and errors of the near-duplicate search: python -m study.near_duplicate_recall [ARCHIVE].

Altered copies are planted among synthetic photos and among those of an archive; without an archive
the committed figures of real photos are kept. The pairs among the real photos themselves are
compared with judgements by eye, and the effect of each signal on the accuracy of grouped folds is
measured. Writes metrics/near_duplicates.json and plots/near_duplicate_recall.svg.
"""

import csv
import sys
from hashlib import sha256

import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import StratifiedKFold

from flowers.base.plots import to_svg
from flowers.base.tables import read_json, write_json, write_text
from flowers.duplicates.search import find_near_duplicates, group_pairs, merge_pairs
from flowers.features.extraction import extract_features
from flowers.images.decoding import decode_image, resize_square
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from flowers.synthetic.collection import generate_images
from flowers.synthetic.picture import SPECIES
from study.alterations import ALTERATIONS
from study.photos import decode_photos, read_photos, read_thresholds
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "near_duplicates.json"
CHART = ROOT / "plots" / "near_duplicate_recall.svg"
JUDGED = ROOT / "study" / "near_duplicates_judged.csv"
SIZE = 128
COPIES = 60
MAX_SIDE = 320  # pixels of a photo before it is altered; few real ones are larger
PER_CLASS = 200  # synthetic photos
FOLDS = 5
SEEDS = 2
COLOURS = {"colour": "tab:orange", "structure": "tab:green", "crop": "tab:blue"}


def search_copies(originals, images, alter, k):
    """Search altered copies among their originals.

    Returns
    -------
    dict of signal to ndarray of shape (2, p)
        Row of the original and row of the copy of each pair across the two.
    """
    copies = [
        resize_square(alter(photo, np.random.default_rng((k, i))), SIZE)
        for i, photo in enumerate(originals)
    ]
    n = len(originals)
    signals = find_near_duplicates(np.concatenate([images, np.stack(copies)]), read_thresholds())
    across = {s: pairs[(pairs[:, 0] < n) & (pairs[:, 1] >= n)] for s, (pairs, _) in signals.items()}
    return {signal: (pairs - [0, n]).T for signal, pairs in across.items()}


def measure_recall(photos, images, matches):
    """Plant altered copies and search for them.

    Parameters
    ----------
    photos : list of bytes
    images : ndarray of shape (n, SIZE, SIZE, 3), uint8
    matches : dict
        Result of the search among `images` alone: its groups are not errors.

    Returns
    -------
    dict
        ``recall``: by alteration, the share of copies found, by the first signal that finds them.
    """
    rows = np.linspace(0, len(images) - 1, min(COPIES, len(images))).astype(int)
    count = len(rows)
    groups = group_pairs(merge_pairs(matches), len(images))
    originals = []
    for row in rows:
        originals.append(decode_image(photos[row])[0])
        originals[-1].thumbnail((MAX_SIDE, MAX_SIDE))
    recall = {}
    wrong = 0
    for k, (name, alter) in enumerate(ALTERATIONS.items()):
        recall[name] = {}
        pairs = search_copies(originals, images[rows], alter, k)
        for signal, (original, copy) in pairs.items():
            recall[name][signal] = float((original == copy).sum() / count)
            wrong += int((groups[rows[original]] != groups[rows[copy]]).sum())
        print(name, recall[name], flush=True)
    return {
        "copies_per_alteration": count,
        "recall": recall,
        "wrong_pairs_per_1000_copies": 1000 * wrong / (count * len(ALTERATIONS)),
    }


def judge_pairs(photos, pairs):
    """Look up the judgements by eye of pairs of photos: "yes", "no", or None without one."""
    digests = [sha256(photo).hexdigest()[:16] for photo in photos]
    with JUDGED.open(newline="") as file:
        judgements = {
            frozenset((row["first"], row["second"])): row["near_duplicates"]
            for row in csv.DictReader(file)
        }
    return [judgements.get(frozenset((digests[i], digests[j]))) for i, j in pairs]


def count_errors(photos, matches):
    """Count pairs of real photos by signal, and those judged wrong by eye."""
    figures = {}
    for signal, (pairs, _) in matches.items():
        results = judge_pairs(photos, pairs.tolist())
        figures[signal] = {
            "pairs": len(pairs),
            "judged": len(results) - results.count(None),
            "wrong": results.count("no"),
            "wrong_per_1000_photos": 1000 * results.count("no") / len(photos),
        }
    return figures


def group_by_rules(matches, n):
    """Groups of `n` photos by no signal, by the first signal, by the first two, and by all."""
    rules = {"none": None}
    for k in range(len(matches)):
        signals = list(matches)[: k + 1]
        pairs = merge_pairs({signal: matches[signal] for signal in signals})
        rules[" + ".join(signals)] = group_pairs(pairs, n)
    return rules


def split_folds(X, labels, groups, seed):
    """Yield the train and test rows of each fold, grouped unless `groups` is None."""
    if groups is None:
        splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        return splitter.split(X, labels)
    return make_grouped_folds(labels, groups, FOLDS, seed)


def measure_accuracies(labels, images, matches):
    """Accuracy and leakage of an SVM on hog and colour under the groups of each rule."""
    batches = range(0, len(images), 100)
    X = np.concatenate([extract_features(images[k : k + 100], ["hog", "colour"]) for k in batches])
    all_groups = group_pairs(merge_pairs(matches), len(images))
    figures = {}
    for rule, groups in group_by_rules(matches, len(images)).items():
        scores = []
        leakage = []
        for seed in range(SEEDS):
            for train, test in split_folds(X, labels, groups, seed):
                train_groups = None if groups is None else groups[train]
                model = GramSVC().fit(X[train], labels[train], train_groups)
                scores.append((model.predict(X[test]) == labels[test]).mean())
                leakage.append(np.isin(all_groups[test], all_groups[train]).mean())
        figures[rule] = {
            "distinct": len(images) if groups is None else int(groups.max()) + 1,
            "accuracy": float(np.mean(scores)),
            "std_of_folds": float(np.std(scores, ddof=1)),
            "by_seed": np.reshape(scores, (SEEDS, FOLDS)).mean(axis=1),
            "leakage": float(np.mean(leakage)),
        }
        print(rule, figures[rule], flush=True)
    return {"features": ["hog", "colour"], "folds": FOLDS, "seeds": SEEDS, "rules": figures}


def measure_synthetic():
    """Figures of synthetic photos that are all distinct, so that every pair is wrong."""
    count = PER_CLASS * len(SPECIES)
    files = list(generate_images(PER_CLASS, near_duplicate_share=0, wrong_labels=0))[:count]
    photos = [content for _, content in files]
    images, _ = decode_photos(photos, SIZE)
    matches = find_near_duplicates(images, read_thresholds())
    pairs = len(merge_pairs(matches))
    errors = {"pairs": pairs, "wrong_per_1000_photos": 1000 * pairs / len(images)}
    return {"photos": len(images), "unaltered": errors} | measure_recall(photos, images, matches)


def measure_real(archive):
    """Figures of the photos in an archive."""
    labels, photos = read_photos(archive)
    images, _ = decode_photos(photos, SIZE)
    matches = find_near_duplicates(images, read_thresholds())
    figures = {"photos": len(images), "unaltered": count_errors(photos, matches)}
    figures |= measure_recall(photos, images, matches)
    return figures | {"accuracy": measure_accuracies(labels, images, matches)}


def draw_recall(sources):
    """Draw the share of copies found, by the first signal that finds them; a panel per source."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots(1, len(sources), sharey=True, squeeze=False)[0]
    for ax, (name, result) in zip(axes, sources.items(), strict=True):
        alterations = list(result["recall"])
        left = np.zeros(len(alterations))
        for signal in next(iter(result["recall"].values())):
            shares = np.array([result["recall"][a][signal] for a in alterations])
            ax.barh(alterations, shares, left=left, color=COLOURS[signal], label=signal)
            left = left + shares
        ax.set(xlim=(0, 1), xlabel="share of altered copies found")
        ax.set_title(f"{name}: {result['copies_per_alteration']} photos altered")
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return to_svg(figure)


def main(archive=None):
    figures = {"thresholds": read_thresholds(), "synthetic": measure_synthetic()}
    figures["real"] = measure_real(archive) if archive else read_json(FIGURES)["real"]
    write_json(FIGURES, figures)
    write_text(CHART, draw_recall({name: figures[name] for name in ("synthetic", "real")}))
    print(f"wrote {FIGURES.relative_to(ROOT)}; make readme renders its tables")


if __name__ == "__main__":
    main(*sys.argv[1:2])
