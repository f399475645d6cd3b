import numpy as np
import pytest
from scipy import stats

from flowers.drift.verdict import chance, needed, verdict


def labelled(right, wrong):
    return np.array([True] * right + [False] * wrong)


@pytest.mark.parametrize(
    ("right", "n", "before", "m"), [(3, 9, 40, 60), (0, 5, 1, 5), (9, 9, 0, 4)]
)
def test_the_chance_is_that_of_the_exact_test(right, n, before, m):
    table = [[right, n - right], [before, m - before]]
    expected = stats.fisher_exact(table, alternative="less").pvalue
    assert chance(right, n, before, m) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("correct", "word"),
    [
        (labelled(0, 0), "unknown"),
        (labelled(14, 6), "unknown"),
        (labelled(40, 60), "harmful"),
        (labelled(2800, 1200), "harmless so far"),
        (labelled(190, 10), "better"),
    ],
)
def test_labels_decide(correct, word):
    told = verdict(correct, labelled(420, 180), 0.15, 0.001)
    assert told["word"] == word
    assert (told["labels_missing"] > 0) == (word == "unknown")
    assert told["labelled"] == len(correct)


def test_with_as_many_labels_as_are_needed_the_harm_is_seen_four_times_in_five():
    n = needed(0.7, 600, 0.15, 0.001)
    rng, before = np.random.default_rng(0), labelled(420, 180)
    words = [verdict(rng.random(n) < 0.55, before, 0.15, 0.001)["word"] for _ in range(400)]
    assert words.count("harmful") / 400 == pytest.approx(0.8, abs=0.08)
    quiet = [verdict(rng.random(n) < 0.7, before, 0.15, 0.001)["word"] for _ in range(400)]
    assert quiet.count("harmful") <= 2 and quiet.count("harmless so far") >= 395


def test_too_few_held_out_photos_never_suffice():
    assert needed(0.7, 20, 0.15, 0.001) is None
    assert verdict(labelled(700, 300), labelled(14, 6), 0.15, 0.001)["labels_missing"] is None
