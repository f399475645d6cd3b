"""Turn photos into rows of numbers by the named extractors."""

import numpy as np

from flowers.features.extraction import extract, extract_rows
from flowers.parallel import each, shared
from flowers.tables import whole
from stages._files import progress
from stages._run import run
from stages._workers import stage_workers

BATCH = 64


def main(knobs):
    images = np.load("data/images.npy", mmap_mode="r")
    first = extract(images[:1], knobs["features"])
    shape = (len(images), first.shape[1])
    with whole("data/features.npy") as target:
        X = np.lib.format.open_memmap(target, mode="w+", dtype=first.dtype, shape=shape)
        starts = range(0, len(images), BATCH)
        with stage_workers(), shared(images) as (stored,):
            tasks = ((stored, start, start + BATCH, knobs["features"]) for start in starts)
            batches = progress(each(extract_rows, tasks), total=len(starts), desc="flatten")
            for start, batch in zip(starts, batches, strict=True):
                X[start : start + BATCH] = batch
        X.flush()
    return f"{shape[0]} photos x {shape[1]} features, {first.dtype}"


if __name__ == "__main__":
    run("flatten", main)
