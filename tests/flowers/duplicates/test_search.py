"""Demands on the search by all signals: each pair once, and what is left out is not looked for."""

import numpy as np
import pytest
from PIL import Image

from flowers.duplicates.search import find_near_duplicates, merge_pairs, select_examples

THRESHOLDS = {"colour": 0.97, "structure": 0.8, "crop": 0.8}
LABELS = np.array(list("aabbccd"))


@pytest.fixture(scope="module")
def images():
    """Photo 1 is 0 again, 2 is 0 in grey, 4 is a part of 3."""
    cells = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    images = np.stack([np.asarray(Image.fromarray(c).resize((128, 128), 3)) for c in cells])
    images[1] = images[0]
    images[2] = images[0].mean(axis=2, dtype=int)[..., None]
    images[4] = np.asarray(Image.fromarray(images[3]).crop((12, 0, 124, 112)).resize((128, 128)))
    return images


@pytest.fixture(scope="module")
def found(images):
    return find_near_duplicates(images, THRESHOLDS)


def test_each_pair_is_told_once_by_the_first_signal_that_finds_it(found):
    pairs = {signal: pairs.tolist() for signal, (pairs, _) in found.items()}
    assert pairs == {"colour": [[0, 1]], "structure": [[0, 2], [1, 2]], "crop": [[3, 4]]}
    assert len(merge_pairs(found)) == 4


def test_a_signal_without_a_threshold_is_left_out(images):
    found = find_near_duplicates(images, THRESHOLDS | {"structure": None, "crop": None})
    assert merge_pairs(found).tolist() == [[0, 1]] and set(found) == {"colour"}


def test_without_any_signal_there_are_no_pairs(images):
    none = find_near_duplicates(images, dict.fromkeys(THRESHOLDS))
    assert merge_pairs(none).shape == (0, 2)


def test_examples_show_pairs_of_every_signal(found):
    rows, captions = select_examples(found, LABELS, 3)
    pairs = {tuple(pair) for pair in rows.reshape(-1, 2).tolist()}
    assert (0, 1) in pairs and (3, 4) in pairs and len(pairs) == 3
    said = " ".join(captions)
    assert all(signal in said for signal in found) and len(captions) == len(rows)


def test_room_that_one_signal_leaves_goes_to_the_others(found):
    assert len(select_examples(found, LABELS, 4)[0]) == 8
    assert len(select_examples(found, LABELS, 99)[0]) == 8
