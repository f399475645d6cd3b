"""Extract the features of all images and, with train_svm.mirror, of their mirror images."""

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
    mirrored = len(images) if params["train_svm.mirror"] else 0
    outputs = {"data/features.npy": len(images), "data/mirrored.npy": mirrored}
    for path, count in outputs.items():
        shape = (count, first.shape[1])
        batches = extract_batches(images[:count], sizes[:count], preprocessing, "mirrored" in path)
        with atomic_write(path) as target, use_stage_workers():
            X = np.lib.format.open_memmap(target, mode="w+", dtype=first.dtype, shape=shape)
            for start, rows in batches:
                X[start : start + len(rows)] = rows
                drop_pages(X)
            X.flush()
    return f"{len(images)} photos x {shape[1]} features, {first.dtype}"


if __name__ == "__main__":
    run_stage("flatten", main)
