"""Class folders and parts are found wherever they are nested; ambiguous folders are refused."""

import os
import re
from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import find_members, iterate_folder
from flowers.sources.folders import list_tree
from tests.flowers.images.photo_files import encode_image, make_picture

PHOTO = encode_image(make_picture(), "PNG")


def write_tree(root, *names):
    """Write photos, texts (named .txt) and folders (the name ends with "/")."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"text" if name.endswith(".txt") else PHOTO)
    return root


def group_members(root, ignore=()):
    """Paths of the members by class and part, and the rejected files with their reason."""
    members, rejected = find_members(root, ignore)
    groups = {}
    for path, label, part in members:
        groups.setdefault(f"{part}:{label}" if part else label, []).append(str(path))
    return groups, rejected


STRAY = "not in a class folder"
TREES = {
    "classes at any depth are sorted": (
        ["a/b/Tulip/2.jpg", "a/b/Tulip/10.jpg", "c/d/Lotus/1.jpg"],
        {"Lotus": ["c/d/Lotus/1.jpg"], "Tulip": ["a/b/Tulip/10.jpg", "a/b/Tulip/2.jpg"]},
        {},
    ),
    "folders of the same name are one class": (
        ["one/Tulip/1.jpg", "two/Tulip/1.jpg", "two/Lotus/1.jpg"],
        {"Lotus": ["two/Lotus/1.jpg"], "Tulip": ["one/Tulip/1.jpg", "two/Tulip/1.jpg"]},
        {},
    ),
    "files beside class folders are listed": (
        ["readme.txt", "all/preview.jpg", "all/docs.txt", "all/Rose/1.jpg", "all/Iris/1.jpg"],
        {"Iris": ["all/Iris/1.jpg"], "Rose": ["all/Rose/1.jpg"]},
        {"all/docs.txt": STRAY, "all/preview.jpg": STRAY, "readme.txt": STRAY},
    ),
    "a folder without photos at another depth is no class": (
        ["docs/a.txt", "all/Rose/1.jpg", "all/Iris/1.jpg", "all/Iris/notes/b.txt", "empty/"],
        {"Iris": ["all/Iris/1.jpg"], "Rose": ["all/Rose/1.jpg"]},
        {"all/Iris/notes/b.txt": STRAY, "docs/a.txt": STRAY},
    ),
    "hidden and macOS names are ignored": (
        ["Rose/1.jpg", "Iris/1.jpg", "Iris/.DS_Store", "Kept/.git/x", "Zipped/__MACOSX/._1.jpg"],
        {"Iris": ["Iris/1.jpg"], "Rose": ["Rose/1.jpg"]},
        {},
    ),
    "a folder without photos beside classes is one": (
        ["Rose/1.jpg", "Iris/a.txt"],
        {"Iris": ["Iris/a.txt"], "Rose": ["Rose/1.jpg"]},
        {},
    ),
    "an empty folder inside a class is no class": (
        ["Rose/1.jpg", "Iris/1.jpg", "Iris/later/"],
        {"Iris": ["Iris/1.jpg"], "Rose": ["Rose/1.jpg"]},
        {},
    ),
    "parts are recognised": (
        ["set/Train/a/1.jpg", "set/Train/b/1.jpg", "set/valid/a/1.jpg", "set/TEST/b/1.jpg"],
        {
            "test:b": ["set/TEST/b/1.jpg"],
            "train:a": ["set/Train/a/1.jpg"],
            "train:b": ["set/Train/b/1.jpg"],
            "validation:a": ["set/valid/a/1.jpg"],
        },
        {},
    ),
    "parts repeated in a name of the collection are not compared": (
        ["test data/train/a/1.jpg", "test data/train/b/1.jpg", "test data/test/a/1.jpg"],
        {
            "test:a": ["test data/test/a/1.jpg"],
            "train:a": ["test data/train/a/1.jpg"],
            "train:b": ["test data/train/b/1.jpg"],
        },
        {},
    ),
    "folders of a part in a folder of the same part are one": (
        ["seg_train/seg_train/a/1.jpg", "seg_train/seg_train/b/1.jpg", "seg_test/seg_test/a/1.jpg"],
        {
            "test:a": ["seg_test/seg_test/a/1.jpg"],
            "train:a": ["seg_train/seg_train/a/1.jpg"],
            "train:b": ["seg_train/seg_train/b/1.jpg"],
        },
        {},
    ),
    "one part alone is no split": (
        ["train/a/1.jpg", "train/b/1.jpg"],
        {"a": ["train/a/1.jpg"], "b": ["train/b/1.jpg"]},
        {},
    ),
    "a class may be called train": (
        ["Bus/1.jpg", "Train/1.jpg"],
        {"Bus": ["Bus/1.jpg"], "Train": ["Train/1.jpg"]},
        {},
    ),
}


@pytest.mark.parametrize("case", TREES)
def test_class_folders_and_parts(tmp_path, case):
    names, groups, rejected = TREES[case]
    found = group_members(write_tree(tmp_path / ".cache", *names))
    assert (dict(sorted(found[0].items())), found[1]) == (groups, rejected)


REFUSED = {
    "an unlabelled part": (
        ["train/a/1.jpg", "train/b/1.jpg", "test/1.jpg"],
        "'train/a' and at another depth in 'test'.*fetch.ignore",
    ),
    "a class at another depth": (["a/1.jpg", "b/1.jpg", "more/c/1.jpg"], "'a'.*'more/c'"),
    "photos in a class and below it": (
        ["a/1.jpg", "b/1.jpg", "a/close/1.jpg", "b/close/1.jpg", "b/far/1.jpg"],
        "'a' and also in 'a/close' inside it.*fetch.ignore",
    ),
    "parts without classes": (["train/1.jpg", "test/1.jpg"], "'test' has the name of a part"),
    "parts inside the classes": (
        ["a/train/1.jpg", "a/val/1.jpg", "b/train/1.jpg", "b/val/1.jpg"],
        "'a/val' has the name of a part",
    ),
    "a folder beside the parts": (
        ["train/a/1.jpg", "test/a/1.jpg", "extra/b/1.jpg"],
        "'(train|test)/a' is in a part of a split, 'extra/b' in none",
    ),
    "classes that differ by case": (["x/Lilly/1.jpg", "y/lilly/1.jpg"], "'x/Lilly' and 'y/lilly'"),
    "an empty class": (["a/1.jpg", "b/1.jpg", "c/"], "'c' .* is empty"),
    "one class": (["a/1.jpg"], "one class, 'a'.*labels.csv"),
    "no class": (["1.jpg"], "no class folder.*labels.csv"),
    "nothing": (["./"], "no class folder"),
    "labels of Oxford": (["jpg/1.jpg", "imagelabels.mat"], "imagelabels.mat is not read.*file and"),
    "a name with a line break": (["a\nb/1.jpg", "c/1.jpg", "d/e/1.jpg"], r"'d/e'|a\\nb"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_ambiguous_folder_is_refused_by_names(tmp_path, case):
    names, message = REFUSED[case]
    with pytest.raises(BadInput, match=message) as caught:
        find_members(write_tree(tmp_path / "photos", *names))
    assert str(tmp_path / "photos") in str(caught.value) or "by case" in message
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("pattern", ["test", "t?st", "set/test/", "*/te*", "test*"])
def test_what_fetch_ignore_names_is_left_out(tmp_path, pattern):
    root = write_tree(tmp_path, "set/train/a/1.jpg", "set/train/b/1.jpg", "set/test/1.jpg")
    groups, rejected = group_members(root, [pattern])
    assert groups == {"a": ["set/train/a/1.jpg"], "b": ["set/train/b/1.jpg"]} and not rejected
    with pytest.raises(BadInput, match="no 'tset'.*fetch.ignore"):
        find_members(root, ["test", "tset"])


def test_links_are_followed(tmp_path):
    """As DVC with links into its cache and git-annex store photos."""
    store = write_tree(tmp_path / "store", "Rose/1.jpg", "2.jpg")
    root = write_tree(tmp_path / "photos", "Iris/1.jpg")
    (root / "Rose").symlink_to(store / "Rose")
    (root / "Iris/2.jpg").symlink_to(store / "2.jpg")
    (root / "Iris/3.jpg").symlink_to("1.jpg")
    (root / "Iris/gone.jpg").symlink_to(store / "gone")
    assert group_members(root) == (
        {
            "Iris": [f"Iris/{name}.jpg" for name in ("1", "2", "3", "gone")],
            "Rose": ["Rose/1.jpg"],
        },
        {"Iris/gone.jpg": "a broken link"},
    )
    files = list(iterate_folder(root))
    assert [file.content for file in files if file.name == "2.jpg"] == [PHOTO]
    (root.parent / "alias").symlink_to(root)
    assert [*map(str, iterate_folder(root.parent / "alias"))] == [*map(str, files)]


def test_a_circle_of_links_and_special_files_end_and_are_listed(tmp_path):
    root = write_tree(tmp_path, "Iris/1.jpg", "Rose/1.jpg")
    (root / "Aster").symlink_to("Rose")
    (root / "Rose/up").symlink_to(root)
    (root / "Rose/self").symlink_to("self")
    (root / "Rose/zero").symlink_to("/dev/zero")
    os.mkfifo(root / "Rose/pipe")
    again = "a folder that is read already by another name"
    assert group_members(root)[1] == {
        "Aster": again,
        "Rose/pipe": "a device, pipe or socket",
        "Rose/self": "a link to itself",
        "Rose/up": again,
        "Rose/zero": "a device, pipe or socket",
    }


def test_many_links_to_one_folder_cost_nothing(tmp_path):
    for level in range(40):  # 2 ** 40 paths
        (tmp_path / f"{level}").mkdir()
        for side in "ab":
            (tmp_path / f"{level}/{side}").symlink_to(tmp_path / f"{level + 1}")
    write_tree(tmp_path, "40/Rose/1.jpg", "40/Iris/1.jpg")
    files, _ = list_tree(tmp_path)
    assert sum(path.name == "1.jpg" for path in files) == 2


def test_a_name_that_is_not_utf8_is_read(tmp_path):
    root = write_tree(tmp_path, "Rose/1.jpg", "Iris/1.jpg")
    Path(os.fsdecode(os.fsencode(root) + b"/Rose/\xff.jpg")).write_bytes(PHOTO)
    assert sum(file.content == PHOTO for file in iterate_folder(root)) == 3
    assert re.search("udcff", ascii(list(iterate_folder(root))))
