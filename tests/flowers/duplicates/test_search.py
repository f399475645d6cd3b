"""The search by all signals: each pair once, and only the signals in use."""

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
def matches(images):
    return find_near_duplicates(images, THRESHOLDS)


def test_each_pair_is_listed_once_by_its_first_signal(matches):
    pairs = {signal: pairs.tolist() for signal, (pairs, _) in matches.items()}
    assert pairs == {"colour": [[0, 1]], "structure": [[0, 2], [1, 2]], "crop": [[3, 4]]}
    assert len(merge_pairs(matches)) == 4


def test_a_signal_without_a_threshold_is_skipped(images):
    matches = find_near_duplicates(images, THRESHOLDS | {"structure": None, "crop": None})
    assert merge_pairs(matches).tolist() == [[0, 1]] and set(matches) == {"colour"}


def test_without_any_signal_there_are_no_pairs(images):
    none = find_near_duplicates(images, dict.fromkeys(THRESHOLDS))
    assert merge_pairs(none).shape == (0, 2)


def test_examples_show_pairs_of_every_signal(matches):
    rows, captions = select_examples(matches, LABELS, 3)
    pairs = {tuple(pair) for pair in rows.reshape(-1, 2).tolist()}
    assert (0, 1) in pairs and (3, 4) in pairs and len(pairs) == 3
    text = " ".join(captions)
    assert all(signal in text for signal in matches) and len(captions) == len(rows)


def test_other_signals_fill_the_places_of_a_signal_with_few_pairs(matches):
    assert len(select_examples(matches, LABELS, 4)[0]) == 8
    assert len(select_examples(matches, LABELS, 99)[0]) == 8
