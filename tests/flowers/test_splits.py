"""Splits and folds: groups stay whole, and leakage is counted."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from flowers.base.errors import BadInput
from flowers.learning.folds import make_grouped_folds
from flowers.splits import (
    measure_leakage,
    split_as_given,
    split_at_random,
    split_by_group,
    split_by_strategy,
    summarise_split,
)


def make_clusters(seed=0, classes=5, groups_per_class=20):
    """Labels and groups of one to four photos, in random order."""
    generator = np.random.default_rng(seed)
    size = generator.integers(1, 5, classes * groups_per_class)
    groups = np.repeat(np.arange(len(size)), size)
    order = generator.permutation(len(groups))
    return np.array(list("abcdefgh"))[groups // groups_per_class][order], groups[order]


def test_the_random_split_is_that_of_scikit_learn():
    labels, _ = make_clusters()
    _, test = train_test_split(
        np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels
    )
    assert np.flatnonzero(split_at_random(labels, 0.2, 42)).tolist() == sorted(test)


@pytest.mark.parametrize("seed", range(5))
def test_groups_never_cross_the_grouped_split(seed):
    labels, groups = make_clusters(seed)
    test = split_by_group(labels, groups, 0.2, seed)
    assert not set(groups[test]) & set(groups[~test])
    assert measure_leakage(groups, test) == 0
    assert measure_leakage(groups, split_at_random(labels, 0.2, seed)) > 0.3


def test_the_grouped_split_takes_the_same_share_of_each_class():
    labels, groups = make_clusters()
    test = split_by_group(labels, groups, 0.2, 42)
    assert {c: len(set(groups[test & (labels == c)])) for c in "abcde"} == dict.fromkeys("abcde", 4)


def test_a_split_depends_on_its_seed_alone():
    labels, groups = make_clusters()
    first, again, other = (split_by_group(labels, groups, 0.2, seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()


def test_folds_keep_groups_whole_and_test_each_row_once():
    labels, groups = make_clusters()
    folds = make_grouped_folds(labels, groups, 4, seed=0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(labels)))
    for train, test in folds:
        assert len(train) + len(test) == len(labels)
        assert not set(groups[train]) & set(groups[test])
        assert set(labels[train]) == set(labels[test]) == set("abcde")


@pytest.mark.parametrize("seed", range(6))
def test_folds_are_those_of_scikit_learn(seed):
    labels, groups = make_clusters(seed, classes=2 + seed % 6, groups_per_class=11 + 5 * seed)
    if seed % 3 == 0:  # each photo its own group: many ties
        groups = np.arange(len(labels))
    if seed % 3 == 1:  # groups of several labels, and of very different sizes
        groups[groups % 7 == 1] = 1
        groups = groups // (1 + seed % 2)
    folds = 3 + seed % 4
    ours = make_grouped_folds(labels, groups, folds, seed)
    theirs = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    expected = theirs.split(labels, labels, groups)
    for fold, expected_fold in zip(ours, expected, strict=True):
        for rows, expected_rows in zip(fold, expected_fold, strict=True):
            np.testing.assert_array_equal(rows, expected_rows)


def test_a_class_with_fewer_groups_than_folds_is_refused_by_name():
    labels = np.array(["Lotus"] * 8 + ["Tulip"] * 8)
    groups = np.array([*range(8), 8, 8, 8, 8, 9, 9, 10, 10])
    assert len(make_grouped_folds(labels, groups, 3, seed=0)) == 3
    with pytest.raises(BadInput, match="'Tulip'.* 3 .* 4"):
        make_grouped_folds(labels, groups, 4, seed=0)


def test_a_class_that_mixed_groups_put_into_one_fold_is_refused():
    labels, groups = make_classes(40, 2)
    groups[labels == "b"] = [0, 0]
    groups[:20] = 0
    with pytest.raises(BadInput, match="'b' has 1 distinct image in the training part"):
        make_grouped_folds(labels, groups, 2, seed=0)


def test_a_class_with_fewer_than_four_groups_is_not_split():
    with pytest.raises(BadInput, match="'Lotus' has 3 .* 4: add photos"):
        split_by_strategy(np.array(["Lotus"] * 6), np.arange(6) // 2, 0.2, 0)


def make_classes(*counts):
    """Labels of images that are all distinct, and their groups; the classes are a, b, c, ..."""
    labels = np.repeat(list("abcdefgh")[: len(counts)], counts)
    return labels, np.arange(len(labels))


@pytest.mark.parametrize("strategy", ["grouped", "random"])
@pytest.mark.parametrize("counts", [(4, 4, 4, 4, 4), (200, 5, 4)])
def test_a_test_size_that_leaves_a_class_without_test_image_is_refused(counts, strategy):
    labels, groups = make_classes(*counts)
    rarest = labels[-1] if len(set(counts)) > 1 else "a"
    with pytest.raises(BadInput, match=f"test_size 0.05 .*'{rarest}', of 4 .*to 0.25 or more"):
        split_by_strategy(labels, groups, 0.05, 0, strategy)
    test = split_by_strategy(labels, groups, 0.25, 0, strategy)[strategy]
    assert set(labels[test]) == set(labels[~test]) == set(labels)


def test_a_class_whose_groups_all_begin_with_another_label_is_refused():
    labels, groups = make_classes(20, 4)
    groups[labels == "b"] = np.arange(4)
    for seed in range(9):  # the part that has no "b" depends on the seed
        try:
            test = split_by_strategy(labels, groups, 0.2, seed)["grouped"]
        except BadInput as error:
            assert "class 'b' has no " in str(error)
        else:
            assert set(labels[test]) == set(labels[~test]) == {"a", "b"}


def test_the_given_split_is_kept():
    parts = np.array(["train", "test", "validation", "train"])
    assert split_as_given(parts).tolist() == [False, True, False, False]
    parts[parts == "test"] = "train"
    assert split_as_given(parts).tolist() == [False, False, True, False]
    labels, groups = make_classes(6, 6)
    groups[6] = 0
    parts = np.array(["train", "test", "train"] * 4)
    tests = split_by_strategy(labels, groups, 0.25, 0, "given", parts)
    assert np.array_equal(tests["given"], parts == "test")
    assert set(tests) == {"grouped", "random", "given"}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (None, "no split of its own"),
        (["train"] * 6, "only the part 'train'"),
        (["test", "validation"] * 3, "no part 'train'"),
        (["train", "test", ""] * 2, "2 photos are in no part"),
        (["train"] * 5 + ["test"], "class 'a' has no test image"),
        (["test"] * 3 + ["train", "train", "test"], "class 'a' has no training image"),
    ],
)
def test_a_given_split_that_cannot_be_used_is_refused(parts, reason):
    labels, groups = make_classes(3, 3)
    parts = parts and np.array(parts)
    with pytest.raises(BadInput, match=f"{reason}.*split.strategy"):
        split_by_strategy(labels, groups, 0.2, 0, "given", parts)


def test_a_given_split_needs_no_other_to_be_possible():
    labels, groups = make_classes(2, 2)
    parts = np.array(["train", "test"] * 2)
    assert set(split_by_strategy(labels, groups, 0.2, 0, "given", parts)) == {"given"}


def test_the_summary_counts_the_leaks_of_the_strategy_in_use():
    labels, groups = make_clusters()
    tests = split_by_strategy(labels, groups, 0.2, 0)
    first = np.array([[i, np.flatnonzero(groups == g)[-1]] for i, g in enumerate(groups)])
    pairs = first[first[:, 0] < first[:, 1]]
    grouped, leaky = (
        summarise_split(labels, groups, pairs, tests, name) for name in ("grouped", "random")
    )
    assert grouped["leaked_test_photos"] == 0 < leaky["leaked_test_photos"]
    assert grouped["train"] + grouped["test"] == grouped["photos"] == len(labels)
    assert grouped["distinct"] == len(np.unique(groups)) and grouped["conflicting_groups"] == 0
    assert grouped["leakage"] == leaky["leakage"]
