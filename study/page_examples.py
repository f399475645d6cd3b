"""Draw the flowers that the scorer's page shows as examples: python -m study.page_examples."""

import numpy as np
from PIL import Image, ImageOps

from flowers.synthetic.picture import draw_photo
from study.repository import ROOT

FOLDER = ROOT / "scoring/server/page/examples"
SIDE = 192  # pixels, twice what the page shows
# Seeds of pictures in which the flower is large and in the light.
SEEDS = {"Lilly": (0, 2), "Lotus": (1, 6), "Orchid": (2, 6), "Sunflower": (3, 6), "Tulip": (4, 8)}


def draw_example(species):
    """The square picture of one species."""
    drawn = draw_photo(species, np.random.default_rng(SEEDS[species]))
    return ImageOps.fit(drawn, (SIDE, SIDE), Image.Resampling.LANCZOS)


def main():
    FOLDER.mkdir(exist_ok=True)
    for species in SEEDS:
        draw_example(species).save(FOLDER / f"{species}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
