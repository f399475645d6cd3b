"""Learn what features need to know before they can describe a photo, from training photos only."""

import numpy as np

from flowers.features.codebook import write
from flowers.features.extraction import LEARNED
from flowers.parallel import each
from flowers.photos.index import sizes_of
from flowers.tables import read_csv
from stages._files import load_rows, progress
from stages._run import run
from stages._workers import stage_workers

PATH = "models/codebook.npz"


def main(knobs):
    if not LEARNED & set(knobs["flatten.features"]):
        write(PATH, None)
        return "none of the features learns"
    # Loads scikit-learn, which takes a second.
    from flowers.features.vocabularies import Recipe, draw, learned, sample

    images, sizes = np.load("data/images.npy", mmap_mode="r"), sizes_of(read_csv("data/index.csv"))
    recipe = Recipe(
        tuple(knobs["scales"]), knobs["words"], knobs["photos"], knobs["per_photo"], knobs["seed"]
    )
    drawn = list(draw(images, sizes, np.flatnonzero(load_rows()["train"]), recipe))
    with stage_workers():
        seen = each(sample, drawn)
        seen = list(progress(seen, total=len(drawn), desc="codebook", unit=" photos"))
        write(PATH, learned(seen, recipe))
    return f"{recipe.words} words from {len(drawn)} photos"


if __name__ == "__main__":
    run("codebook", main)
