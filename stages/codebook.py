"""Learn what features need to know before they can describe a photo, from training photos only."""

import numpy as np

from flowers.base.parallel import parallel_map
from flowers.base.tables import read_csv
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
        return "none of the features learns"
    # Loads scikit-learn, which takes a second.
    from flowers.features.codebook_fitting import (
        CodebookParams,
        fit_codebook,
        sample_descriptors,
        select_images,
    )

    images, sizes = np.load("data/images.npy", mmap_mode="r"), get_sizes(read_csv("data/index.csv"))
    recipe = CodebookParams(
        tuple(params["scales"]),
        params["words"],
        params["photos"],
        params["per_photo"],
        params["seed"],
    )
    drawn = list(select_images(images, sizes, np.flatnonzero(load_split()["train"]), recipe))
    with use_stage_workers():
        seen = parallel_map(sample_descriptors, drawn)
        seen = list(show_progress(seen, total=len(drawn), desc="codebook", unit=" photos"))
        write_codebook(PATH, fit_codebook(seen, recipe))
    return f"{recipe.words} words from {len(drawn)} photos"


if __name__ == "__main__":
    run_stage("codebook", main)
