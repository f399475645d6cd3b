"""Comparison with other libraries: what is counted, and the line when one is missing."""

import numpy as np
import pytest

from benchmarks import near_duplicate_peers as peers
from benchmarks.measure import require_packages
from benchmarks.race import make_rows, summarise_rounds

GROUPS = np.array([0, 0, 2])  # originals 0 and 1 are near-duplicates; copies are rows 3 to 5
KINDS = len(peers.ALTERATIONS)
# Both copies are found, at distances 1 and 6; only the last pair is wrong.
PLANTED = [[(0, 3, 1), (1, 4, 6), (0, 4, 2), (2, 3, 7)]] * KINDS


@pytest.mark.parametrize("distance, recall, wrong", [(1, 1 / 3, 0), (6, 2 / 3, 0), (7, 2 / 3, 1)])
def test_recall_counts_pairs_with_the_own_copy_and_errors_those_across_groups(
    distance, recall, wrong
):
    shares, errors = peers.measure_copies(PLANTED, GROUPS, distance)
    assert list(shares) == list(peers.ALTERATIONS)
    assert set(shares.values()) == {recall} and errors == wrong * KINDS


def test_imagehash_gets_the_largest_distance_without_a_wrong_pair_and_others_their_default():
    assert peers.choose_distance("imagehash phash", PLANTED, GROUPS) == 6
    assert peers.choose_distance("imagededup PHash", PLANTED, GROUPS) == peers.MAX_DISTANCE
    assert peers.choose_distance("imagehash phash", [[(0, 5, 0)]] * KINDS, GROUPS) == 0


def test_pairs_of_photos_are_judged_by_eye_or_by_the_groups(monkeypatch):
    monkeypatch.setattr(
        peers, "judge_pairs", lambda _, pairs: ["no" if 3 in p else None for p in pairs]
    )
    figures = {"planted": [[]] * KINDS, "cpu_s_per_1000": 1.0, "peak_mb": 9.0}
    ours = figures | {"pairs": [(0, 1, 0), (1, 2, 0)]}
    other = figures | {"pairs": [(0, 2, 9), (0, 3, 1), (1, 4, 2)]}
    outputs = {"flowers": ours, "imagededup PHash": other}
    results, unknown = peers.summarise_methods(outputs, [b""] * 5, np.array([0, 1, 3]))
    counts = [[results[n][key] for key in ("correct", "wrong", "unknown")] for n in outputs]
    assert counts == [[2, 0, 0], [1, 1, 1]] and unknown == [(1, 4)]


def test_missing_packages_are_named_in_one_line():
    require_packages("numpy")
    with pytest.raises(SystemExit, match=r"^not installed: no_such_package; run pip install"):
        require_packages("numpy", "no_such_package")


def test_rows_of_pixels_are_photos_in_random_order_and_then_copies():
    images = np.arange(2 * 2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 2, 3)
    rows, labels = make_rows(images, np.array(["a", "b"]), 4)
    assert rows.shape == (4, 12) and sorted(labels) == ["a", "a", "b", "b"]
    expected = np.concatenate([images, images[:, :, ::-1]]).reshape(4, -1)
    assert sorted(map(tuple, rows)) == sorted(map(tuple, expected))


def test_a_figure_of_several_rounds_is_their_median():
    rounds = [{"fit_s": seconds} for seconds in (1.0, 9.0, 2.00001)]
    assert summarise_rounds(rounds) == {"fit_s": 2.0}
