"""The search by all signals: each pair once, and only the signals in use."""

import numpy as np
import pytest
from PIL import Image

from flowers.duplicates.search import find_near_duplicates, merge_pairs, select_examples

THRESHOLDS = {"colour": 0.97, "structure": 0.8, "crop": 0.8}
LABELS = np.array(list("aabbccd"))


@pytest.fixture(scope="module")
def images():
    """Image 1 equals 0, 2 is 0 in grey, 4 is a part of 3."""
    cells = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    pixels = np.stack([np.asarray(Image.fromarray(c).resize((128, 128), 3)) for c in cells])
    pixels[1] = pixels[0]
    pixels[2] = pixels[0].mean(axis=2, dtype=int)[..., None]
    pixels[4] = np.asarray(Image.fromarray(pixels[3]).crop((12, 0, 124, 112)).resize((128, 128)))
    return pixels


@pytest.fixture(scope="module")
def matches(images):
    return find_near_duplicates(images, THRESHOLDS)


def test_each_pair_is_listed_once_by_its_first_signal(matches):
    listed = {signal: pairs.tolist() for signal, (pairs, _) in matches.items()}
    assert listed == {"colour": [[0, 1]], "structure": [[0, 2], [1, 2]], "crop": [[3, 4]]}
    assert len(merge_pairs(matches)) == 4


def test_a_signal_without_a_threshold_is_skipped(images):
    by_colour = find_near_duplicates(images, THRESHOLDS | {"structure": None, "crop": None})
    assert merge_pairs(by_colour).tolist() == [[0, 1]] and set(by_colour) == {"colour"}
    assert merge_pairs(find_near_duplicates(images, dict.fromkeys(THRESHOLDS))).shape == (0, 2)


def test_examples_show_pairs_of_every_signal(matches):
    rows, captions = select_examples(matches, LABELS, 3)
    pairs = {tuple(pair) for pair in rows.reshape(-1, 2).tolist()}
    assert (0, 1) in pairs and (3, 4) in pairs and len(pairs) == 3
    text = " ".join(captions)
    assert all(signal in text for signal in matches) and len(captions) == len(rows)
