"""Extract the features of all images, and of the altered copies that train_svm.augment adds."""

import numpy as np

from flowers.base.parallel import drop_pages
from flowers.base.tables import atomic_write, read_csv
from flowers.features.codebook import read_codebook
from flowers.features.extraction import extract_batches, extract_features
from flowers.images.index import get_sizes
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers


def main(params):
    images = np.load("data/images.npy", mmap_mode="r")
    sizes = get_sizes(read_csv("data/index.csv"))
    codebook = read_codebook("models/codebook.npz")
    preprocessing = {"names": params["features"], "codebook": codebook}
    first = extract_features(images[:1], sizes=sizes[:1], **preprocessing)
    copies = range(1, 1 + params["train_svm.augment"])
    for path, numbers in {"data/features.npy": [0], "data/augmented.npy": copies}.items():
        shape = (len(numbers) * len(images), first.shape[1])
        with atomic_write(path) as target, use_stage_workers():
            X = np.lib.format.open_memmap(target, mode="w+", dtype=first.dtype, shape=shape)
            for k, number in enumerate(numbers):
                for start, rows in extract_batches(images, sizes, preprocessing, number):
                    X[k * len(images) + start :][: len(rows)] = rows
                    drop_pages(X)
            X.flush()
    return f"{len(images)} photos x {first.shape[1]} features, {first.dtype}"


if __name__ == "__main__":
    run_stage("flatten", main)
