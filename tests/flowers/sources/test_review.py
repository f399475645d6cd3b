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


def test_without_a_line_every_photo_stays_where_it_is(review):
    empty = review()
    assert empty.get_label("Rose", ROSE) == "Rose"
    none = {"listed": 0, "matched": 0}
    assert empty.count_matches(CLASSES) == {"excluded": none, "relabelled": none}


def test_an_excluded_photo_is_left_out_by_its_bytes(review):
    lists = review(exclude=f"sha256\n{hash_photo(ROSE).upper()}\n{'0' * 64}\n")
    assert lists.get_label("Rose", ROSE) is None and lists.get_label("Iris", ROSE) is None
    assert lists.get_label("Iris", IRIS) == "Iris"
    assert lists.count_matches(CLASSES)["excluded"] == {"listed": 2, "matched": 1}


def test_with_a_label_only_the_copy_under_it_is_left_out(review):
    lists = review(exclude=f"path,sha256,label\nRose/1.jpg,{hash_photo(ROSE)},Rose\n")
    assert lists.get_label("Rose", ROSE) is None
    assert lists.get_label("Iris", ROSE) == "Iris"


def test_a_relabelled_photo_goes_to_its_class(review):
    lists = review(relabel=f"label,sha256\nIris,{hash_photo(ROSE)}\n")
    assert lists.get_label("Rose", ROSE) == "Iris"
    assert lists.count_matches(CLASSES)["relabelled"] == {"listed": 1, "matched": 1}


def test_a_list_with_a_byte_order_mark_is_read(review):
    lists = review(exclude=f"\ufeffsha256,label\r\n{hash_photo(ROSE)},\r\n")
    assert lists.get_label("Rose", ROSE) is None


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


def test_a_missing_list_is_refused_by_its_path(tmp_path):
    with pytest.raises(BadInput, match="nowhere.csv"):
        Review(tmp_path / "nowhere.csv", tmp_path / "nowhere.csv")


def test_a_list_that_cannot_be_parsed_is_refused_by_its_name(review):
    with pytest.raises(BadInput, match=r"exclude\.csv cannot be read"):
        review(exclude="sha256\n" + "0" * 200_000 + "\n")
