"""A table labels the photos of a flat folder; each row and file is used or listed."""

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import find_members
from tests.flowers.sources.test_folders import group_members, write_tree

ROWS = "file,label\n1.jpg,Rose\n2.jpg,Iris\n"


def write_table(root, content, *names):
    """Write photos, 1.jpg and 2.jpg unless named, and a table as text or bytes."""
    write_tree(root, *(names or ("1.jpg", "2.jpg")))
    content = content if isinstance(content, bytes) else content.encode()
    (root / "labels.csv").write_bytes(content)
    return root


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        ROWS.replace("\n", "\r\n"),
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        "\ufeff" + ROWS,
        ROWS.encode("utf-16"),
        "Label , FILE,more\nRose, 1.jpg,x\n\nIris,./2.jpg\n",
        'file,label\n"1.jpg","Rose"\n2.jpg, Iris \n2.jpg,Iris',
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path, content):
    groups, rejected = group_members(write_table(tmp_path, content))
    assert (groups, rejected) == ({"Iris": ["2.jpg"], "Rose": ["1.jpg"]}, {})


def test_paths_are_below_the_folder_of_the_table(tmp_path):
    table = "file,label\njpg\\1.jpg,Rose\njpg/E\u0301.jpg,Iris\n"
    write_table(tmp_path / "set", table, "jpg/1.jpg", "jpg/\xc9.jpg")
    write_tree(tmp_path, "readme.txt")
    assert group_members(tmp_path) == (
        {"Iris": ["set/jpg/\xc9.jpg"], "Rose": ["set/jpg/1.jpg"]},
        {"readme.txt": "not in labels.csv"},
    )


def test_each_row_and_file_that_is_not_used_is_listed(tmp_path):
    rows = "gone.jpg,Rose\n../x.jpg,Rose\n/etc/passwd,Rose\nC:\\x,Rose\na\0,Rose\n,Rose\n"
    rows += "3.jpg,\n4.jpg,Rose\n4.jpg,Iris\nlabels.csv,Rose\nlink.jpg,Rose\n"
    names = [f"{number}.jpg" for number in range(1, 6)]
    write_table(tmp_path, ROWS + rows, *names)
    for name in ("link.jpg", "other.jpg"):
        (tmp_path / name).symlink_to("gone")
    groups, rejected = group_members(tmp_path)
    assert groups == {"Iris": ["2.jpg"], "Rose": ["1.jpg", "link.jpg"]}
    unsafe = "an unsafe path in labels.csv"
    missing = "in labels.csv, but missing"
    assert rejected == {
        "gone.jpg": missing,
        "labels.csv, line 9": missing,
        "labels.csv": missing,
        **dict.fromkeys(["../x.jpg", "/etc/passwd", "C:/x", "a\0"], unsafe),
        "3.jpg": "without a label in labels.csv",
        "4.jpg": "with two labels or parts in labels.csv",
        "5.jpg": "not in labels.csv",
        "link.jpg": "a broken link",
        "other.jpg": "a broken link",
    }


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        (("train", "TEST"), {"test:Iris": ["2.jpg"], "train:Rose": ["1.jpg"]}),
        (("val", "train"), {"train:Iris": ["2.jpg"], "validation:Rose": ["1.jpg"]}),
        (("train", "train"), {"Iris": ["2.jpg"], "Rose": ["1.jpg"]}),
        (("", ""), {"Iris": ["2.jpg"], "Rose": ["1.jpg"]}),
    ],
)
def test_a_column_states_the_parts(tmp_path, parts, groups):
    table = "file,label,part\n1.jpg,Rose,{}\n2.jpg,Iris,{}\n".format(*parts)
    assert group_members(write_table(tmp_path, table)) == (groups, {})


def test_without_the_column_folders_state_the_parts(tmp_path):
    table = "file,label\ntrain/1.jpg,Rose\ntest/1.jpg,Iris\n"
    write_table(tmp_path, table, "train/1.jpg", "test/1.jpg")
    assert group_members(tmp_path)[0] == {
        "test:Iris": ["test/1.jpg"],
        "train:Rose": ["train/1.jpg"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,breed\n1.jpg,Rose\n", "columns file and label"),
        ("", "columns file and label"),
        ("file,label\n", "names no file"),
        ("file,label\n1,Rose\n2,Iris\n", "names no file beside it, such as '1'"),
        ("file,label\n1.jpg,Rose\n2.jpg,Rose\n", "one class, 'Rose'"),
        ("file,label\n1.jpg,Rose\n2.jpg,rose\n", "'Rose' and 'rose'"),
        ("file,label\n1.jpg,a/b\n2.jpg,Iris\n", "line 2: class 'a/b'.*rename"),
        ("file,label,part\n1.jpg,Rose,train\n2.jpg,Iris,\n", "no part for '2.jpg'"),
        ("file,label,part\n1.jpg,Rose,train\n2.jpg,Iris,foo\n", "line 3: part 'foo'"),
        ("file,label\n1.jpg,\xc9\n2.jpg,Iris\n".encode("latin-1"), "not UTF-8.*0xc9"),
        ("file,label\n" + "x" * 200_000, "cannot be read"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, content, message):
    with pytest.raises(BadInput, match=message) as caught:
        find_members(write_table(tmp_path, content))
    assert len(str(caught.value).splitlines()) == 1


def test_two_tables_are_refused(tmp_path):
    write_table(tmp_path / "a", ROWS)
    write_table(tmp_path / "b", ROWS)
    with pytest.raises(BadInput, match=r"'a/labels.csv' and 'b/labels.csv'"):
        find_members(tmp_path)


def test_a_table_of_other_columns_beside_class_folders_is_listed(tmp_path):
    write_table(tmp_path, "id,breed\n", "Rose/1.jpg", "Iris/1.jpg")
    assert group_members(tmp_path) == (
        {"Iris": ["Iris/1.jpg"], "Rose": ["Rose/1.jpg"]},
        {"labels.csv": "not in a class folder"},
    )
