"""Demands on suspects: wrong labels are found, right ones of an unsure class are left alone."""

import numpy as np

from flowers.evaluation.label_issues import (
    NEAR_DUPLICATE,
    find_confident_classes,
    find_group_labels,
    find_label_issues,
)

CLASSES = np.array(["a", "b", "c"])


def mislabelled(n=300, wrong=12, sharpness=6.0):
    """Photos whose probabilities follow the true class, a few of them under another label."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 3
    logits = rng.normal(size=(n, 3)) + sharpness * np.eye(3)[truth]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = CLASSES[truth]
    moved = rng.choice(n, wrong, replace=False)
    labels[moved] = CLASSES[(truth[moved] + 1) % 3]
    return labels, shares, np.sort(moved), CLASSES[truth]


def test_wrong_labels_are_found_and_their_class_is_suggested():
    labels, shares, moved, truth = mislabelled()
    rows, suggested, margin, _ = find_label_issues(labels, np.arange(len(labels)), shares, CLASSES)
    assert set(moved) <= set(rows)
    assert len(rows) <= len(moved) + 3
    np.testing.assert_array_equal(suggested[:10], truth[rows[:10]])
    assert (np.diff(margin) <= 0).all()


def test_a_class_needs_the_confidence_that_its_own_photos_get():
    labels = np.array(["a", "a", "b", "b", "a"])
    shares = np.array([[0.9, 0.1, 0], [0.9, 0.1, 0], [0.6, 0.4, 0], [0.6, 0.4, 0], [0.55, 0.45, 0]])
    answered = find_confident_classes(labels, shares, CLASSES)
    # "a" needs 0.78, "b" only 0.4: the last photo looks like b, the third like nothing else.
    assert answered.tolist() == ["a", "a", "b", "b", "b"]
    rows, *_ = find_label_issues(labels, np.arange(5), shares, CLASSES)
    assert rows.tolist() == []  # its likeliest class is its label all the same


def test_an_unsure_photo_is_no_suspect():
    labels = np.array(["a", "b", "c", "a"])
    shares = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0, 0.1, 0.9], [0.3, 0.36, 0.34]])
    rows, *_ = find_label_issues(labels, np.arange(4), shares, CLASSES)
    assert rows.tolist() == []


def test_of_twins_the_one_that_stands_alone_is_named_first():
    labels = np.array(["a", "b", "b", "c", "a"])
    groups = np.array([0, 0, 0, 1, 2])
    shares = np.array([[0.5, 0.3, 0.2]] * 3 + [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])
    rows, suggested, _, reason = find_label_issues(labels, groups, shares, CLASSES)
    assert rows[0] == 0 and suggested[0] == "b" and reason[0] == NEAR_DUPLICATE
    assert 1 not in rows and 2 not in rows


def test_two_twins_that_disagree_are_judged_by_what_they_look_like():
    spoken = find_group_labels(
        np.array(["a", "c"]), np.array([7, 7]), np.array([[0.2, 0.1, 0.7]] * 2), CLASSES
    )
    assert spoken.tolist() == ["c", "c"]
