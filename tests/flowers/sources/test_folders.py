"""Class folders are found wherever they are nested; other files are listed as strays."""

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import find_class_folders


def search_tree(root, *names):
    """Write files (folders end with "/") and return the relative paths of classes and strays."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"x")
    by_class, strays = find_class_folders(root)
    return (
        {name: [path.relative_to(root).as_posix() for path in by_class[name]] for name in by_class},
        [path.relative_to(root).as_posix() for path in strays],
    )


@pytest.mark.parametrize(
    ("names", "classes", "strays"),
    [
        pytest.param([], {}, [], id="an empty root has no classes"),
        pytest.param(["1.jpg"], {}, ["1.jpg"], id="the root is never a class"),
        pytest.param(
            ["a/b/Tulip/2.jpg", "a/b/Tulip/10.jpg", "Lotus/1.jpg"],
            {"Lotus": ["Lotus/1.jpg"], "Tulip": ["a/b/Tulip/10.jpg", "a/b/Tulip/2.jpg"]},
            [],
            id="classes at any depth are sorted",
        ),
        pytest.param(
            ["train/Tulip/1.jpg", "test/Tulip/1.jpg", "Tulip/1.jpg"],
            {"Tulip": ["Tulip/1.jpg", "test/Tulip/1.jpg", "train/Tulip/1.jpg"]},
            [],
            id="folders of the same name are one class",
        ),
        pytest.param(
            ["readme.txt", "all/notes.txt", "all/deep/Orchid/1.jpg", "all/Lilly/1.jpg"],
            {"Lilly": ["all/Lilly/1.jpg"], "Orchid": ["all/deep/Orchid/1.jpg"]},
            ["all/notes.txt", "readme.txt"],
            id="files beside class folders are strays",
        ),
        pytest.param(
            ["Lotus/1.jpg", "Lotus/.DS_Store", ".git/objects/x", "__MACOSX/Lotus/1.jpg"],
            {"Lotus": ["Lotus/1.jpg"]},
            [],
            id="hidden and macOS names are ignored",
        ),
        pytest.param(
            ["Lotus/1.jpg", "Cache/.keep", "Kept/.git/x", "Zipped/__MACOSX/._1.jpg"],
            {"Lotus": ["Lotus/1.jpg"]},
            [],
            id="a folder of hidden files is not a class",
        ),
        pytest.param(
            ["all/Lotus/1.jpg", "all/Rose/"],
            {"Lotus": ["all/Lotus/1.jpg"], "Rose": []},
            [],
            id="an empty folder is a class without images",
        ),
        pytest.param(
            ["Tulip/a.jpg", "Tulip/later/"],
            {"Tulip": ["Tulip/a.jpg"]},
            [],
            id="an empty folder inside a class is not a class",
        ),
    ],
)
def test_class_folders_and_strays(tmp_path, names, classes, strays):
    by_class, others = search_tree(tmp_path / ".cache", *names, "./")
    assert (list(by_class.items()), others) == (list(classes.items()), strays)


def test_links_are_listed_and_not_followed(tmp_path):
    root = tmp_path / "root"
    search_tree(tmp_path, "outside/Tulip/1.jpg", "root/Lotus/1.jpg")
    (root / "Tulip").symlink_to(tmp_path / "outside" / "Tulip")
    (root / "Lotus" / "2.jpg").symlink_to(tmp_path / "outside" / "Tulip" / "1.jpg")
    (root / "Lotus" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    assert search_tree(root) == (
        {"Lotus": ["Lotus/1.jpg"]},
        ["Lotus/2.jpg", "Lotus/gone.jpg", "Tulip"],
    )


def test_a_missing_root_is_bad_input_with_its_full_path(tmp_path):
    with pytest.raises(BadInput, match=str(tmp_path / "gone")):
        find_class_folders(tmp_path / "gone")
