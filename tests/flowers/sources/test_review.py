"""Demands on a review: a person's word about single photos is kept, and never guessed at."""

from hashlib import sha256

import pytest

from flowers.base.errors import BadInput
from flowers.sources.review import Review

ROSE, IRIS = b"a rose", b"an iris"
CLASSES = {"Rose", "Iris"}


def digest(photo):
    return sha256(photo).hexdigest()


@pytest.fixture
def review(tmp_path):
    """A review with these lines in its two lists."""

    def written(exclude="sha256\n", relabel="sha256,label\n"):
        for name, text in (("exclude.csv", exclude), ("relabel.csv", relabel)):
            (tmp_path / name).write_text(text)
        return Review(tmp_path / "exclude.csv", tmp_path / "relabel.csv")

    return written


def test_without_a_line_every_photo_stays_where_it_is(review):
    empty = review()
    assert empty.get_label("Rose", ROSE) == "Rose"
    none = {"listed": 0, "matched": 0}
    assert empty.count_matches(CLASSES) == {"excluded": none, "relabelled": none}


def test_an_excluded_photo_is_left_out_by_its_bytes(review):
    told = review(exclude=f"sha256\n{digest(ROSE).upper()}\n{'0' * 64}\n")
    assert told.get_label("Rose", ROSE) is None and told.get_label("Iris", ROSE) is None
    assert told.get_label("Iris", IRIS) == "Iris"
    assert told.count_matches(CLASSES)["excluded"] == {"listed": 2, "matched": 1}


def test_with_a_label_only_the_copy_under_it_is_left_out(review):
    told = review(exclude=f"path,sha256,label\nRose/1.jpg,{digest(ROSE)},Rose\n")
    assert told.get_label("Rose", ROSE) is None
    assert told.get_label("Iris", ROSE) == "Iris"


def test_a_relabelled_photo_goes_to_its_class(review):
    told = review(relabel=f"label,sha256\nIris,{digest(ROSE)}\n")
    assert told.get_label("Rose", ROSE) == "Iris"
    assert told.count_matches(CLASSES)["relabelled"] == {"listed": 1, "matched": 1}


def test_a_list_of_a_spreadsheet_is_read(review):
    told = review(exclude=f"\ufeffsha256,label\r\n{digest(ROSE)},\r\n")
    assert told.get_label("Rose", ROSE) is None


def test_a_label_that_no_photo_has_is_refused_by_name(review):
    told = review(relabel=f"sha256,label\n{digest(ROSE)},Ross\n")
    told.get_label("Rose", ROSE)
    with pytest.raises(BadInput, match="'Ross'.*Iris, Rose"):
        told.count_matches(CLASSES)


@pytest.mark.parametrize(
    ("exclude", "relabel", "told"),
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
def test_a_line_that_cannot_be_meant_is_refused(review, exclude, relabel, told):
    with pytest.raises(BadInput, match=told):
        review(exclude, relabel)


def test_a_missing_list_is_refused_by_its_path(tmp_path):
    with pytest.raises(BadInput, match="nowhere.csv"):
        Review(tmp_path / "nowhere.csv", tmp_path / "nowhere.csv")


def test_a_list_that_is_no_table_is_refused_by_its_name(review):
    with pytest.raises(BadInput, match=r"exclude\.csv cannot be read"):
        review(exclude="sha256\n" + "0" * 200_000 + "\n")
