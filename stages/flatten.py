"""Extract the features of all images, and of the altered copies that train_svm.augment adds."""

import numpy as np

from flowers.base.parallel import drop_pages
from flowers.base.tables import atomic_write, read_csv
from flowers.features.codebook import read_codebook
from flowers.features.extraction import extract_batches, extract_features
from flowers.images.index import get_sizes
from stages.support.files import load_split
from stages.support.run import run_stage
from stages.support.workers import use_stage_processes


def main(params):
    images = np.load("data/images.npy", mmap_mode="r")
    sizes = get_sizes(read_csv("data/index.csv"))
    codebook = read_codebook("models/codebook.npz")
    preprocessing = {"names": params["features"], "codebook": codebook}
    first = extract_features(images[:1], sizes=sizes[:1], **preprocessing)
    train = np.flatnonzero(load_split()["train"])
    altered = range(1, 1 + params["train_svm.augment"])
    outputs = {"features": ([0], np.arange(len(images))), "augmented": (altered, train)}
    with use_stage_processes():
        for name, (copies, numbers) in outputs.items():
            shape = (len(copies) * len(numbers), first.shape[1])
            with atomic_write(f"data/{name}.npy") as target:
                X = np.lib.format.open_memmap(target, mode="w+", dtype=first.dtype, shape=shape)
                for k, copy in enumerate(copies):
                    for start, rows in extract_batches(images, sizes, preprocessing, numbers, copy):
                        X[k * len(numbers) + start :][: len(rows)] = rows
                        drop_pages(X)
                X.flush()
    return f"{len(images)} photos x {first.shape[1]} features, {first.dtype}"


if __name__ == "__main__":
    run_stage("flatten", main)
