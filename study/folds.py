"""Learned features on five grouped folds: python -m study.folds ARCHIVE.

All photos are held out once. The codebook, too, is learnt anew from the training photos of each
fold. Beside the accuracy: what a photo costs, on one core, with the arithmetic that stages pin;
--cost measures it anew, alone.
"""

import json
import sys
import time

import stages  # noqa: F401, first: its pins hold for numpy

# isort: split
import joblib
import numpy as np
from tqdm import tqdm

from flowers.base.parallel import parallel_map, use_workers
from flowers.base.tables import write_json
from flowers.features.extraction import extract, extracted
from flowers.features.vocabularies import Recipe, draw, learned, sample
from flowers.images.decoding import decode_image, resize_square
from flowers.learning.folds import grouped_folds
from flowers.learning.svm import GramSVC
from study.experiments import get_source_params
from study.real import find_groups, read_photos
from study.recipes import RECIPES
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "folds.json"
FOLDS, SEED, TIMED = 5, 0, 40


def decode_photos(photos, size):
    """Squares of pixels and the sizes of photos."""

    def one(photo):
        image, _ = decode_image(photo)
        return resize_square(image, size), image.size

    done = joblib.Parallel(-1, prefer="threads")(joblib.delayed(one)(photo) for photo in photos)
    squares, sizes = zip(*done, strict=True)
    return np.stack(squares), np.array(sizes)


def extract_rows(images, sizes, train, recipe):
    """Features of all photos and of their mirror images, by a codebook learnt from `train`."""
    drawn = list(draw(images, sizes, train, recipe))
    seen = list(tqdm(parallel_map(sample, drawn), total=len(drawn), desc="codebook", disable=None))
    preparation = {"names": ["fisher"], "codebook": learned(seen, recipe)}
    both = []
    for mirrored in (False, True):
        parts = extracted(images, sizes, preparation, mirrored)
        parts = tqdm(parts, total=-(-len(images) // 32), desc="features", disable=None)
        both.append(np.concatenate([rows for _, rows in parts]))
    return *both, preparation


def measure_features_ms(images, sizes, preparation):
    """Median time of the features of one photo, of a processor, whatever else is at work."""
    times = []
    for i in range(TIMED):
        start = time.process_time()
        extract(images[i : i + 1], sizes=sizes[i : i + 1], **preparation)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def get_codebook_recipe(params):
    """How the codebook of a recipe is learnt."""
    scales = tuple(json.loads(params["codebook.scales"]))
    return Recipe(scales, params["codebook.words"], photos=900, per_photo=130, seed=SEED)


def evaluate_folds(recipe, labels, photos, groups):
    """Accuracy on each fold, and the cost of a photo."""
    params = RECIPES[recipe]
    learning = get_codebook_recipe(params)
    images, sizes = decode_photos(photos, params["resize.size"])
    found = []
    for train, test in grouped_folds(labels, groups, FOLDS, SEED):
        X, mirrored, preparation = extract_rows(images, sizes, train, learning)
        model = GramSVC(C=2.0, kernel="linear", standardise=False, multiclass="ovr")
        both = np.concatenate([X[train], mirrored[train]])
        model.fit(both, np.tile(labels[train], 2), np.tile(groups[train], 2))
        found.append(float((model.predict(X[test]) == labels[test]).mean()))
        print(f"folds: {recipe} {found[-1]:.4f}", flush=True)
    return {
        "photos": len(labels),
        "distinct": len(np.unique(groups)),
        "accuracy": np.mean(found),
        "deviation": np.std(found),
        "folds": found,
        "ms_per_photo": measure_features_ms(images, sizes, preparation),
    }


def measure_cost(recipe, photos):
    """What a photo costs, with a codebook of some others."""
    learning = get_codebook_recipe(RECIPES[recipe])
    images, sizes = decode_photos(photos[:: len(photos) // 150], RECIPES[recipe]["resize.size"])
    seen = [sample(*task) for task in draw(images, sizes, np.arange(len(images)), learning)]
    preparation = {"names": ["fisher"], "codebook": learned(seen, learning)}
    return measure_features_ms(images, sizes, preparation)


def main(source, only_cost):
    labels, photos = read_photos(get_source_params(source))
    if only_cost:
        results = json.loads(FIGURES.read_text())
        for recipe, told in results.items():
            told["ms_per_photo"] = measure_cost(recipe, photos)
        write_json(FIGURES, results)
        return
    groups = find_groups(photos)
    results = {}
    with use_workers(-1, "threading"):
        for recipe in ("fisher-small", "fisher-large"):
            results[recipe] = evaluate_folds(recipe, labels, photos, groups)
            write_json(FIGURES, results)


if __name__ == "__main__":
    *options, source = sys.argv[1:] or [""]
    if not source or options not in ([], ["--cost"]):
        sys.exit("say which photos: python -m study.folds [--cost] /path/of/an/archive")
    main(source, bool(options))
