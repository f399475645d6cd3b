"""A recipe on five grouped folds: python -m study.folds SOURCE fisher-large [SEEDS].

With each of the seeds, 3 by default, every photo is in one test fold; the codebook is learned again
from the training photos of each fold. Naive Bayes gets the same features. The mean confidence shows
whether the probabilities are calibrated. The accuracy is also computed without the photos whose
label was judged wrong or ambiguous. The CPU time of the features of a photo is measured too.
"""

import hashlib
import sys
import time

import numpy as np
from tqdm import tqdm

from flowers.base.parallel import parallel_map, use_workers
from flowers.base.tables import read_csv, read_json, write_json
from flowers.evaluation.predictions import Predictions
from flowers.features import codebook_fitting as fitting
from flowers.features.extraction import extract_batches, extract_features
from flowers.learning.folds import make_grouped_folds
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.svm import GramSVC
from study.experiments import get_source_params
from study.photos import decode_photos, find_groups, read_photos
from study.recipes import read_section, read_svm_params
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "folds.json"
REVIEW = ROOT / "study" / "label_review.csv"
FOLDS = 5
SEEDS = (0, 1, 2)  # of the folds
TIMED_PHOTOS = 40


def extract_rows(images, sizes, train, recipe, augment=0):
    """Extract features of all photos and of altered copies of `train`, by a codebook of `train`.

    Returns
    -------
    list of ndarray of shape (n, d) or (len(train), d)
        Features of all photos, and of each copy of the training photos.
    preprocessing : dict
    """
    tasks = list(fitting.select_images(images, sizes, train, recipe))
    samples = parallel_map(fitting.sample_descriptors, tasks)
    samples = tqdm(samples, total=len(tasks), desc="codebook", disable=None)
    preprocessing = {"names": ["fisher"], "codebook": fitting.fit_codebook(list(samples), recipe)}
    chosen = [np.arange(len(images))] + augment * [train]
    matrices = []
    for copy, numbers in enumerate(tqdm(chosen, desc="features", disable=None)):
        parts = extract_batches(images, sizes, preprocessing, numbers, copy)
        matrices.append(np.concatenate([part for _, part in parts]))
    return matrices, preprocessing


def measure_features_ms(images, sizes, preprocessing):
    """Median CPU milliseconds of the features of one photo."""
    times = []
    for i in range(min(TIMED_PHOTOS, len(images))):
        start = time.process_time()
        extract_features(images[i : i + 1], sizes=sizes[i : i + 1], **preprocessing)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def read_codebook_params(recipe):
    """Read how the codebook of a recipe is learned."""
    params = read_section(recipe, "codebook")
    return fitting.CodebookParams(**params | {"scales": tuple(params["scales"])})


def find_doubtful(photos):
    """Find the photos whose label was judged wrong or ambiguous, ndarray of shape (n,), bool."""
    review = read_csv(REVIEW)
    doubtful = review["sha256"][review["judgement"] != "correct"]
    return np.isin([hashlib.sha256(photo).hexdigest() for photo in photos], doubtful)


def evaluate_fold(recipe, fold, matrices, labels, groups, doubtful):
    """Fit both models on a fold; return the figures of its test rows."""
    train, test = fold
    X, *copies = matrices
    rows = {"svm": np.tile(train, 1 + len(copies)), "nb": train}
    features = {"svm": np.concatenate([X[train], *copies]), "nb": X[train]}
    figures = {}
    models = GramSVC(**read_svm_params(recipe)), CalibratedNB(**read_section(recipe, "train_nb"))
    for name, model in zip(("svm", "nb"), models, strict=True):
        model.fit(features[name], labels[rows[name]], groups[rows[name]])
        predictions = Predictions.from_model(model, X[test], labels[test], groups[test])
        figures[name] = float(predictions.correct.mean())
        figures[f"{name}_confirmed"] = float(predictions.correct[~doubtful[test]].mean())
        figures[f"{name}_confidence"] = float(predictions.confidence.mean())
    return figures


def evaluate_folds(recipe, seeds, labels, photos):
    """Compute accuracy and mean confidence on each fold of each seed, and the cost of a photo."""
    groups = find_groups(photos)
    doubtful = find_doubtful(photos)
    codebook_params = read_codebook_params(recipe)
    augment = read_section(recipe, "train_svm")["augment"]
    images, sizes = decode_photos(photos, **read_section(recipe, "resize"))
    results = []
    for seed in seeds:
        for fold in make_grouped_folds(labels, groups, FOLDS, seed):
            matrices, preprocessing = extract_rows(images, sizes, fold[0], codebook_params, augment)
            figures = evaluate_fold(recipe, fold, matrices, labels, groups, doubtful)
            results.append(figures)
            print(f"folds: {recipe}, seed {seed}: {figures['svm']:.4f}", flush=True)
    return summarise_folds(results) | {
        "augment": augment,
        "photos": len(labels),
        "distinct": len(np.unique(groups)),
        "doubtful": int(doubtful.sum()),
        "ms_per_photo": measure_features_ms(images, sizes, preprocessing),
    }


def summarise_folds(results):
    """Summarise the figures of `evaluate_fold`, fold after fold of each seed."""
    accuracies = [figures["svm"] for figures in results]
    return {
        "accuracy": np.mean(accuracies),
        "std": np.std(accuracies),
        "confirmed_accuracy": np.mean([figures["svm_confirmed"] for figures in results]),
        "confidence": np.mean([figures["svm_confidence"] for figures in results]),
        "nb_accuracy": np.mean([figures["nb"] for figures in results]),
        "seeds": np.reshape(accuracies, (-1, FOLDS)).mean(axis=1).tolist(),
        "folds": accuracies,
    }


def main(source, recipe, seeds):
    labels, photos = read_photos(get_source_params(source)["fetch.path"])
    with use_workers(-1, "threading"):
        figures = evaluate_folds(recipe, SEEDS[:seeds], labels, photos)
    write_json(FIGURES, read_json(FIGURES) | {recipe: figures})


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("name photos and recipe: python -m study.folds /path/of/an/archive fisher-small")
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else len(SEEDS))
