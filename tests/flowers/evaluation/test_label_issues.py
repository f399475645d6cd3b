"""Label issues: wrong labels are found, correct labels of uncertain classes are left alone."""

import numpy as np

from flowers.evaluation.label_issues import (
    NEAR_DUPLICATE,
    find_confident_classes,
    find_group_labels,
    find_label_issues,
)

CLASSES = np.array(["a", "b", "c"])


def make_mislabelled(n=300, wrong=12, sharpness=6.0):
    """Probabilities that follow the true class, and labels of which `wrong` are another class."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 3
    logits = rng.normal(size=(n, 3)) + sharpness * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = CLASSES[truth]
    moved = rng.choice(n, wrong, replace=False)
    labels[moved] = CLASSES[(truth[moved] + 1) % 3]
    return labels, probabilities, moved, CLASSES[truth]


def test_wrong_labels_are_found_with_the_true_class_suggested():
    labels, probabilities, moved, truth = make_mislabelled()
    groups = np.arange(len(labels))
    rows, suggested, margin, _ = find_label_issues(labels, groups, probabilities, CLASSES)
    assert set(moved) <= set(rows)
    assert len(rows) <= len(moved) + 3
    np.testing.assert_array_equal(suggested[:10], truth[rows[:10]])
    assert (np.diff(margin) <= 0).all()


def test_the_threshold_of_a_class_is_the_mean_confidence_of_its_own_images():
    labels = np.array(["a", "a", "b", "b", "a"])
    a = np.array([0.9, 0.9, 0.6, 0.6, 0.55])
    probabilities = np.column_stack([a, 1 - a, np.zeros(5)])
    # Thresholds: 0.78 for a, 0.4 for b.
    confident = find_confident_classes(labels, probabilities, CLASSES)
    assert confident.tolist() == ["a", "a", "b", "b", "b"]
    rows, *_ = find_label_issues(labels, np.arange(5), probabilities, CLASSES)
    assert rows.tolist() == []  # the label of the last image is its most probable class


def test_the_minority_label_among_near_duplicates_comes_first():
    labels = np.array(["a", "b", "b", "c", "a"])
    groups = np.array([0, 0, 0, 1, 2])
    probabilities = np.array([[0.5, 0.3, 0.2]] * 3 + [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])
    rows, suggested, _, reason = find_label_issues(labels, groups, probabilities, CLASSES)
    assert rows[0] == 0 and suggested[0] == "b" and reason[0] == NEAR_DUPLICATE
    assert 1 not in rows and 2 not in rows


def test_between_two_near_duplicates_the_probability_decides():
    probabilities = np.array([[0.2, 0.1, 0.7]] * 2)
    labels = find_group_labels(np.array(["a", "c"]), np.array([7, 7]), probabilities, CLASSES)
    assert labels.tolist() == ["c", "c"]
