"""Fisher vectors on five grouped folds: python -m study.folds SOURCE.

Every photo is in one test fold; the codebook is learned again from the training photos of each
fold. The CPU time of the features of a photo is measured too.
"""

import sys
import time

import numpy as np
from tqdm import tqdm

from flowers.base.parallel import parallel_map, use_workers
from flowers.base.tables import write_json
from flowers.features import codebook_fitting as fitting
from flowers.features.extraction import extract_batches, extract_features
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from study.experiments import get_source_params
from study.photos import decode_photos, find_groups, read_photos
from study.recipes import read_section, read_svm_params
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "folds.json"
FOLDS = 5
SEED = 0
TIMED_PHOTOS = 40


def extract_rows(images, sizes, train, recipe):
    """Extract features of all photos, by a codebook of `train`."""
    tasks = list(fitting.select_images(images, sizes, train, recipe))
    samples = parallel_map(fitting.sample_descriptors, tasks)
    samples = tqdm(samples, total=len(tasks), desc="codebook", disable=None)
    preprocessing = {"names": ["fisher"], "codebook": fitting.fit_codebook(list(samples), recipe)}
    parts = extract_batches(images, sizes, preprocessing)
    parts = tqdm(parts, total=-(-len(images) // 32), desc="features", disable=None)
    return np.concatenate([rows for _, rows in parts]), preprocessing


def measure_features_ms(images, sizes, preprocessing):
    """Median CPU milliseconds of the features of one photo."""
    times = []
    for i in range(TIMED_PHOTOS):
        start = time.process_time()
        extract_features(images[i : i + 1], sizes=sizes[i : i + 1], **preprocessing)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def read_codebook_params(recipe):
    """Read how the codebook of a recipe is learned."""
    params = read_section(recipe, "codebook")
    return fitting.CodebookParams(**params | {"scales": tuple(params["scales"])})


def evaluate_folds(recipe, labels, photos, groups):
    """Compute the accuracy on each fold, and the cost of a photo."""
    codebook_params = read_codebook_params(recipe)
    images, sizes = decode_photos(photos, **read_section(recipe, "resize"))
    accuracies = []
    for train, test in make_grouped_folds(labels, groups, FOLDS, SEED):
        X, preprocessing = extract_rows(images, sizes, train, codebook_params)
        model = GramSVC(**read_svm_params(recipe))
        model.fit(X[train], labels[train], groups[train])
        accuracies.append(float((model.predict(X[test]) == labels[test]).mean()))
        print(f"folds: {recipe} {accuracies[-1]:.4f}", flush=True)
    return {
        "photos": len(labels),
        "distinct": len(np.unique(groups)),
        "accuracy": np.mean(accuracies),
        "std": np.std(accuracies),
        "folds": accuracies,
        "ms_per_photo": measure_features_ms(images, sizes, preprocessing),
    }


def main(source):
    labels, photos = read_photos(get_source_params(source)["fetch.path"])
    groups = find_groups(photos)
    results = {}
    with use_workers(-1, "threading"):
        for recipe in ("fisher-small", "fisher-large"):
            results[recipe] = evaluate_folds(recipe, labels, photos, groups)
            write_json(FIGURES, results)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m study.folds /path/of/an/archive")
    main(sys.argv[1])
