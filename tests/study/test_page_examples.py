"""The example photos of the page."""

import numpy as np
import pytest
from PIL import Image

from study.page_examples import FOLDER, SEEDS, draw_example


@pytest.mark.parametrize("species", SEEDS)
def test_the_examples_are_drawn_by_the_generator(species):
    with Image.open(FOLDER / f"{species}.webp") as stored:
        pixels = np.asarray(stored.convert("RGB")).astype(int)
    assert np.abs(pixels - np.asarray(draw_example(species))).mean() < 6  # of 255; lossy files
