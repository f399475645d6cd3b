"""Reviewed labels are applied by the bytes of an image; unclear lists are refused."""

from hashlib import sha256

import pytest

from flowers.base.errors import BadInput
from flowers.sources.review import Review

ROSE, IRIS = b"a rose", b"an iris"
CLASSES = {"Rose", "Iris"}


def hash_photo(photo):
    return sha256(photo).hexdigest()


@pytest.fixture
def review(tmp_path):
    """A review with these lines in its two lists."""

    def write_lists(exclude="sha256\n", relabel="sha256,label\n"):
        for name, text in (("exclude.csv", exclude), ("relabel.csv", relabel)):
            (tmp_path / name).write_text(text)
        return Review(tmp_path / "exclude.csv", tmp_path / "relabel.csv")

    return write_lists


@pytest.mark.parametrize(
    ("lists", "rose_labels", "matches"),
    [
        ({}, ("Rose", "Iris"), (0, 0, 0, 0)),
        # Without a label every copy is excluded, with one that of the class.
        (
            {"exclude": f"sha256\n{hash_photo(ROSE).upper()}\n{'0' * 64}\n"},
            (None, None),
            (2, 1, 0, 0),
        ),
        (
            {"exclude": f"\ufeffpath,sha256,label\r\nRose/1.jpg,{hash_photo(ROSE)},Rose\r\n"},
            (None, "Iris"),
            (1, 1, 0, 0),
        ),
        ({"relabel": f"label,sha256\nIris,{hash_photo(ROSE)}\n"}, ("Iris", "Iris"), (0, 0, 1, 1)),
    ],
)
def test_a_review_excludes_and_relabels(review, lists, rose_labels, matches):
    reviewed = review(**lists)
    assert (reviewed.get_label("Rose", ROSE), reviewed.get_label("Iris", ROSE)) == rose_labels
    assert reviewed.get_label("Iris", IRIS) == "Iris"
    counts = reviewed.count_matches(CLASSES)
    assert (*counts["excluded"].values(), *counts["relabelled"].values()) == matches


def test_a_label_that_is_not_a_class_is_refused_by_name(review):
    lists = review(relabel=f"sha256,label\n{hash_photo(ROSE)},Ross\n")
    lists.get_label("Rose", ROSE)
    with pytest.raises(BadInput, match="'Ross'.*Iris, Rose"):
        lists.count_matches(CLASSES)


@pytest.mark.parametrize(
    ("exclude", "relabel", "message"),
    [
        ("path\nRose/1.jpg\n", "sha256,label\n", "exclude.csv.*no column sha256"),
        ("", "sha256,label\n", "no column sha256"),
        ("sha256\nRose/1.jpg\n", "sha256,label\n", "line 2.*Rose/1.jpg"),
        ("sha256\n", f"sha256\n{'a' * 64}\n", "relabel.csv.*not a class"),
        ("sha256\n", f"sha256,label\n{'a' * 64},../Rose\n", "not a class"),
        ("sha256\n", f"sha256,label\n{'a' * 64},Rose\n{'a' * 64},Iris\n", "two labels"),
        (f"sha256\n{'a' * 64}\n", f"sha256,label\n{'a' * 64},Rose\n", "keep it in one"),
    ],
)
def test_a_malformed_line_is_refused(review, exclude, relabel, message):
    with pytest.raises(BadInput, match=message):
        review(exclude, relabel)


def test_a_missing_or_unreadable_list_is_refused_by_its_name(review, tmp_path):
    with pytest.raises(BadInput, match="nowhere.csv"):
        Review(tmp_path / "nowhere.csv", tmp_path / "nowhere.csv")
    with pytest.raises(BadInput, match=r"exclude\.csv cannot be read"):
        review(exclude="sha256\n" + "0" * 200_000 + "\n")
