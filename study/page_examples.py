"""Draw the example images of the scorer's page: python -m study.page_examples."""

import numpy as np
from PIL import Image, ImageOps

from flowers.synthetic.picture import draw_photo
from study.repository import ROOT

FOLDER = ROOT / "scoring/server/page/examples"
SIZE = 192  # pixels, twice the size on the page
# Seeds of images in which the flower is large and well lit.
SEEDS = {"Lilly": (0, 13), "Lotus": (1, 0), "Orchid": (2, 12), "Sunflower": (3, 4), "Tulip": (4, 5)}


def draw_example(species):
    """Draw the square image of one species."""
    image = draw_photo(species, np.random.default_rng(SEEDS[species]))
    return ImageOps.fit(image, (SIZE, SIZE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in SEEDS:
        draw_example(name).save(FOLDER / f"{name}.webp", quality=82, method=6)
