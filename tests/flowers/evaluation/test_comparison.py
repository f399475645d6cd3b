"""Demands on a comparison: paired by photo, honest about twins, sure only with reason."""

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.evaluation.comparison import compare_paired, compare_runs, list_models, match_images


def table(answers, labels=None, groups=None, photos=None):
    n = len(answers)
    labels = ["a"] * n if labels is None else labels
    return {
        "sha256": np.array([str(i) for i in range(n)] if photos is None else photos),
        "label": np.array(labels),
        "group": np.array([str(i) for i in range(n)] if groups is None else groups),
        "svm": np.array(list(answers)),
        "svm_a": np.zeros(n).astype(str),
        "svm_b": np.zeros(n).astype(str),
    }


def test_the_same_answers_differ_by_nothing():
    right = np.random.default_rng(0).random(100) < 0.7
    told = compare_paired(right, right, np.arange(100), 500, 0)
    assert (told["difference"], told["low"], told["high"], told["p_value"]) == (0, 0, 0, 1)


def test_the_interval_is_of_the_paired_difference_and_not_of_two_accuracies():
    rng = np.random.default_rng(0)
    first = rng.random(400) < 0.7
    second = first | (np.arange(400) % 20 == 0)
    told = compare_paired(first, second, np.arange(400), 2000, 0)
    gain = told["accuracy"][1] - told["accuracy"][0]
    assert told["difference"] == pytest.approx(gain)
    # Two intervals of 400 photos are 0.09 wide each; where nearly all answers agree this is not.
    assert 0 <= told["low"] < told["difference"] < told["high"] < told["low"] + 0.04
    assert told["only_first_correct"] == 0 and told["only_second_correct"] == round(400 * gain)


def test_twins_widen_the_interval():
    rng = np.random.default_rng(1)
    gain = rng.choice([-1, 0, 1], 50).repeat(8)
    first, second = gain < 0, gain > 0
    width = {
        name: np.ptp(
            [compare_paired(first, second, groups, 2000, 0)[end] for end in ("low", "high")]
        )
        for name, groups in {"alone": np.arange(400), "twins": np.arange(50).repeat(8)}.items()
    }
    assert width["twins"] > 2 * width["alone"]


def test_rows_are_paired_by_photo_and_label_in_any_order():
    first = table("aabb", photos=["w", "x", "y", "z"])
    second = table("abab", photos=["z", "y", "x", "new"])
    rows_first, rows_second, _ = match_images(first, second)
    assert rows_first.tolist() == [1, 2, 3] and rows_second.tolist() == [2, 1, 0]
    told = compare_runs(first, second, ("svm", "svm"), 100, 0)
    assert told["photos"] == 3 and (told["only_first_correct"], told["only_second_correct"]) == (
        0,
        1,
    )


def test_a_photo_under_another_label_is_another_photo():
    first, second = table("aa", labels=["a", "b"]), table("aa", labels=["a", "a"])
    assert match_images(first, second)[0].tolist() == [0]


def test_copies_with_the_same_bytes_are_paired_one_to_one():
    first, second = table("aba", photos=["x", "x", "y"]), table("aab", photos=["x", "x", "x"])
    rows_first, rows_second, _ = match_images(first, second)
    assert rows_first.tolist() == rows_second.tolist() == [0, 1]


def test_what_either_run_calls_twins_stays_together():
    first = table("aaaa", groups=["1", "1", "2", "3"])
    second = table("aaaa", groups=["7", "8", "8", "9"])
    groups = match_images(first, second)[2]
    assert len(set(groups[:3])) == 1 and groups[3] != groups[0]


def test_runs_without_a_common_photo_are_refused():
    with pytest.raises(BadInput, match="no test photo"):
        compare_runs(table("aa"), table("aa", photos=["x", "y"]), ("svm", "svm"), 100, 0)


def test_models_are_told_from_their_columns():
    assert list_models(table("ab")) == ["svm"]
