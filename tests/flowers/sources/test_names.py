"""Names are stored printable and short; names that look alike are not two classes."""

import pytest

from flowers.base.errors import BadInput
from flowers.sources.names import check_distinct, find_part, make_free_path, normalise_label


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1.jpg", "1.jpg", "1.jpg", "1.png"], ["1.jpg", "1-2.jpg", "1-3.jpg", "1.png"]),
        (["none", "none"], ["none", "none-2"]),
        (["a\r.jpg", "a\n.jpg", "a\udcff.jpg"], ["a_.jpg", "a_-2.jpg", "a_-3.jpg"]),
        (["\u202egpj.jpg", "b\\c", "Gänse blume.jpg"], ["_gpj.jpg", "b_c", "Gänse blume.jpg"]),
        (["ä" * 125 + ".jpg"] * 2, ["ä" * 98 + ".jpg", "ä" * 98 + "-2.jpg"]),
        (["x." + "y" * 253] * 2, ["x." + "y" * 198, "x." + "y" * 198 + "-2"]),
    ],
)
def test_a_stored_name_is_printable_short_and_free(tmp_path, names, expected):
    stored = []
    for name in names:
        path = make_free_path(tmp_path / "Tulip", name)
        path.write_bytes(b"x")
        stored.append(path.name)
    assert stored == expected


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Tulip", "Tulip"),
        ("Lotus ", "Lotus"),
        ("E\u0301crou", "\xc9crou"),
        ("蓮", "蓮"),
        ("🌷", "🌷"),
    ],
)
def test_a_class_is_the_name_without_outer_spaces_in_one_unicode_form(name, label):
    assert normalise_label(name) == label


@pytest.mark.parametrize(
    "name", ["", " ", ".git", " .x", "a/b", "a\\b", "a\nb", "x" * 201, "\udcff"]
)
def test_a_name_that_cannot_be_a_folder_is_refused(name):
    with pytest.raises(BadInput, match="rename it"):
        normalise_label(name)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("Lilly", "lilly", "'Lilly' and 'lilly'"),
        ("Lotus", "Lotus ", "'Lotus' and 'Lotus '"),
        ("Water lily", "water  Lily", "'Water lily' and 'water  Lily'"),
        ("\xc9crou", "E\u0301crou", r"'\\xc9crou' and 'E\\u0301crou'"),
        ("Stra\xdfe", "STRASSE", "'Straße' and 'STRASSE'"),
    ],
)
def test_names_that_look_alike_are_refused_by_both(first, second, message):
    check_distinct({first: first, "Rose": "Rose"}, "x")
    with pytest.raises(BadInput, match=message):
        check_distinct({first: first, "Rose": "Rose", second: second}, "x")


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (
            "train",
            ["train", "Train", "TRAINING", "training_set", "trainset", "seg_train", "train2017"],
        ),
        ("validation", ["val", "valid", "Validation", "dev", "val-images"]),
        ("test", ["test", "TEST", "testing", "Test Set", "flowers-test"]),
        ("", ["trained", "contest", "train-test", "Tulip", "2", "", "values", "devil"]),
    ],
)
def test_a_part_is_recognised_by_a_word_of_its_name(part, names):
    assert {find_part(name) for name in names} == {part}
