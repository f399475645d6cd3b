"""Turn photos into rows of numbers by the named extractors."""

import numpy as np

from flowers.features.extraction import extract
from flowers.tables import whole
from stages._files import progress
from stages._run import run

BATCH = 64


def main(knobs):
    images = np.load("data/images.npy", mmap_mode="r")
    first = extract(images[:1], knobs["features"])
    shape = (len(images), first.shape[1])
    with whole("data/features.npy") as target:
        X = np.lib.format.open_memmap(target, mode="w+", dtype=first.dtype, shape=shape)
        for start in progress(range(0, len(images), BATCH), desc="flatten", unit=" batches"):
            X[start : start + BATCH] = extract(images[start : start + BATCH], knobs["features"])
        X.flush()
    return f"{shape[0]} photos x {shape[1]} features, {first.dtype}"


if __name__ == "__main__":
    run("flatten", main)
