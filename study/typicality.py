"""How well the typicality separates unknown photos: python -m study.typicality SOURCE.

A fifth of the photos is a hold-out; a fifth of the others is the reference set. Unknown flowers
are the photos of each class in turn, which training and reference then lack; the codebook has seen
the training photos of all classes. The other unknown pictures show no flower.
"""

import sys

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_image
from sklearn.metrics import roc_auc_score

from flowers.base.parallel import use_workers
from flowers.base.tables import write_json
from flowers.drift_simulation.shifts import crop_centre, shuffle_tiles
from flowers.features.extraction import NEEDS_CODEBOOK, extract_features
from flowers.model.typicality import choose_threshold, fit_typicality
from flowers.splits import split_by_group
from study.experiments import get_source_params
from study.folds import extract_rows, read_codebook_params
from study.photos import decode_photos, find_groups, read_photos
from study.recipes import read_section
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "typicality.json"
RECIPES = ("pixels", "hog-colour", "fisher-small")
HOLDOUT_SHARE = 0.2
PICTURES = 60  # of each kind


def make_pictures(images):
    """Make pictures without a flower, by name; some of real photos (n, s, s, 3)."""
    rng = np.random.default_rng(0)
    size = images.shape[1]
    shape = (PICTURES, size, size, 3)
    smooth = gaussian_filter(rng.normal(size=shape), (0, size / 32, size / 32, 0))
    coloured = 128 + 50 * (smooth / smooth.std() + rng.normal(size=(PICTURES, 1, 1, 3)))
    chosen = images[np.linspace(0, len(images) - 1, PICTURES).astype(int)]
    return {
        "noise": rng.integers(0, 256, shape, dtype=np.uint8),
        "smooth noise": np.clip(coloured, 0, 255).astype(np.uint8),
        "rectangles": np.stack([_draw_rectangles(size, rng) for _ in range(PICTURES)]),
        "parts of a photo of a palace": _crop_palace(size, rng),
        "photos, tiles shuffled": shuffle_tiles(chosen),
        "photos, middle alone": crop_centre(crop_centre(chosen)),
    }


def _draw_rectangles(size, rng):
    picture = np.full((size, size, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(rng.integers(1, 9)):
        top, left, height, width = rng.integers(1, size, 4)
        picture[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return picture


def _crop_palace(size, rng):
    photo = Image.fromarray(load_sample_image("china.jpg"))
    parts = []
    for _ in range(PICTURES):
        side = int(rng.integers(photo.height // 3, photo.height))
        left, top = (int(rng.integers(length - side + 1)) for length in photo.size)
        parts.append(photo.resize((size, size), box=(left, top, left + side, top + side)))
    return np.stack([np.asarray(part) for part in parts])


def measure_separation(X, pictures, labels, groups):
    """Measure how well each kind of photo is separated from the reference set.

    Parameters
    ----------
    X, pictures : ndarray of shape (n, d), dict of name to ndarray of shape (m, d)
        Features of the photos, and of pictures without a flower.
    labels, groups : ndarray of shape (n,)

    Returns
    -------
    dict of name to dict
        ``flagged``, the share below the threshold, and ``auc``, the area under the ROC curve that
        separates it from the reference set; the mean of all classes that are left out.
    """
    holdout = split_by_group(labels, groups, HOLDOUT_SHARE, 1)
    results = {}
    for unknown in (None, *np.unique(labels).tolist()):
        train = ~holdout & (labels != unknown)
        test = np.flatnonzero(train)
        test = test[split_by_group(labels[train], groups[train], HOLDOUT_SHARE, 42)]
        train[test] = False
        typicality = fit_typicality(X, train)
        reference = typicality.score_rows(X[test])
        threshold = choose_threshold(reference)
        kinds = pictures if unknown is None else {"unknown flowers": X[labels == unknown]}
        kinds = kinds | {"hold-out": X[holdout & (labels != unknown)]}
        for name, kind in kinds.items():
            scores = typicality.score_rows(kind)
            flagged = np.mean(scores < threshold)
            truth = np.repeat([1, 0], [len(reference), len(scores)])
            area = roc_auc_score(truth, np.concatenate([reference, scores]))
            results.setdefault(name, []).append((flagged, area))
    means = {name: np.mean(figures, axis=0).tolist() for name, figures in results.items()}
    return {name: {"flagged": flagged, "auc": auc} for name, (flagged, auc) in means.items()}


def evaluate_recipe(recipe, photos, labels, groups):
    """Extract the features of a recipe and measure the separation."""
    images, sizes = decode_photos(photos, **read_section(recipe, "resize"))
    features = read_section(recipe, "flatten")["features"]
    preprocessing = {"names": features, "codebook": None}
    if NEEDS_CODEBOOK & set(features):
        train = np.flatnonzero(~split_by_group(labels, groups, HOLDOUT_SHARE, 1))
        (X,), preprocessing = extract_rows(images, sizes, train, read_codebook_params(recipe))
    else:
        X = extract_features(images, **preprocessing)
    pictures = make_pictures(images).items()
    rows = {name: extract_features(kind, **preprocessing) for name, kind in pictures}
    return measure_separation(X, rows, labels, groups)


def main(source):
    labels, photos = read_photos(get_source_params(source)["fetch.path"])
    results = {}
    with use_workers(-1, "threading"):
        groups = find_groups(photos)
        for recipe in RECIPES:
            results[recipe] = evaluate_recipe(recipe, photos, labels, groups)
            write_json(FIGURES, results)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m study.typicality /path/of/an/archive")
    main(sys.argv[1])
