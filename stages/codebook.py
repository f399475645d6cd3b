"""Fit the codebook of the feature fisher on training images; without that feature, an empty one."""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import read_csv
from flowers.features import codebook_fitting as fitting
from flowers.features.codebook import write_codebook
from flowers.features.extraction import NEEDS_CODEBOOK
from flowers.images.index import get_sizes
from stages.support.files import load_split, show_progress
from stages.support.run import run_stage
from stages.support.workers import use_stage_workers

PATH = "models/codebook.npz"


def main(params):
    if not NEEDS_CODEBOOK & set(params["flatten.features"]):
        write_codebook(PATH, None)
        return "no feature needs a codebook"
    images = np.load("data/images.npy", mmap_mode="r")
    sizes = get_sizes(read_csv("data/index.csv"))
    train = np.flatnonzero(load_split()["train"])
    codebook_params = fitting.CodebookParams(
        tuple(params["scales"]),
        params["words"],
        params["photos"],
        params["per_photo"],
        params["seed"],
    )
    tasks = list(fitting.select_images(images, sizes, train, codebook_params))
    with use_stage_workers():
        samples = parallel_map(fitting.sample_descriptors, tasks)
        samples = list(show_progress(samples, total=len(tasks), desc="codebook", unit=" photos"))
        write_codebook(PATH, fitting.fit_codebook(samples, codebook_params))
    return f"{codebook_params.words} words from {len(tasks)} photos"


if __name__ == "__main__":
    run_stage("codebook", main)
