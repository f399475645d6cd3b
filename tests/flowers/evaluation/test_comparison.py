"""Paired comparison of two runs: matched by image, with groups resampled as a whole."""

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.evaluation.comparison import compare_paired, compare_runs, list_models, match_images


def make_table(predicted, labels=None, groups=None, images=None):
    n = len(predicted)
    names = [str(i) for i in range(n)]
    return {
        "sha256": np.array(names if images is None else images),
        "label": np.array(["a"] * n if labels is None else labels),
        "group": np.array(names if groups is None else groups),
        "svm": np.array(list(predicted)),
        "svm_a": np.zeros(n).astype(str),
        "svm_b": np.zeros(n).astype(str),
    }


def test_the_interval_is_that_of_the_paired_difference():
    first = np.random.default_rng(0).random(400) < 0.7
    same = compare_paired(first, first, np.arange(400), 500, 0)
    assert [same[key] for key in ("difference", "low", "high", "p_value")] == [0, 0, 0, 1]
    second = first | (np.arange(400) % 20 == 0)
    result = compare_paired(first, second, np.arange(400), 2000, 0)
    gain = result["accuracy"][1] - result["accuracy"][0]
    assert result["difference"] == pytest.approx(gain)
    # The unpaired interval of 400 images is 0.09 wide.
    assert 0 <= result["low"] < gain < result["high"] < result["low"] + 0.04
    assert result["only_first_correct"] == 0
    assert result["only_second_correct"] == round(400 * gain)


def test_rows_are_matched_by_image_and_label_in_any_order():
    first = make_table("aabb", images=["w", "x", "y", "z"])
    second = make_table("abab", images=["z", "y", "x", "new"])
    assert list_models(first) == ["svm"]
    rows_first, rows_second, _ = match_images(first, second)
    assert rows_first.tolist() == [1, 2, 3] and rows_second.tolist() == [2, 1, 0]
    result = compare_runs(first, second, ("svm", "svm"), 100, 0)
    assert result["photos"] == 3
    assert (result["only_first_correct"], result["only_second_correct"]) == (0, 1)


def test_copies_are_matched_one_to_one_and_only_with_the_same_label():
    first = make_table("aba", images=["x", "x", "y"])
    second = make_table("aab", images=["x", "x", "x"])
    rows_first, rows_second, _ = match_images(first, second)
    assert rows_first.tolist() == rows_second.tolist() == [0, 1]
    first = make_table("aa", labels=["a", "b"])
    assert match_images(first, make_table("aa"))[0].tolist() == [0]


def test_images_that_share_a_group_in_either_run_share_one():
    first = make_table("aaaa", groups=["1", "1", "2", "3"])
    second = make_table("aaaa", groups=["7", "8", "8", "9"])
    groups = match_images(first, second)[2]
    assert len(set(groups[:3])) == 1 and groups[3] != groups[0]


def test_runs_without_a_common_image_are_rejected():
    with pytest.raises(BadInput, match="no test image"):
        other = make_table("aa", images=["x", "y"])
        compare_runs(make_table("aa"), other, ("svm", "svm"), 100, 0)
