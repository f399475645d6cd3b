import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import find_class_folders


def write_files(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def search(root):
    by_class, strays = find_class_folders(root)
    return (
        {name: [path.relative_to(root).as_posix() for path in by_class[name]] for name in by_class},
        [path.relative_to(root).as_posix() for path in strays],
    )


def test_class_folders_are_found_at_any_depth_and_sorted(tmp_path):
    write_files(tmp_path, "a/b/Tulip/2.jpg", "a/b/Tulip/10.jpg", "Lotus/1.jpg")
    by_class, strays = search(tmp_path)
    assert list(by_class.items()) == [
        ("Lotus", ["Lotus/1.jpg"]),
        ("Tulip", ["a/b/Tulip/10.jpg", "a/b/Tulip/2.jpg"]),
    ]
    assert strays == []


def test_folders_of_the_same_name_are_one_class(tmp_path):
    write_files(tmp_path, "train/Tulip/1.jpg", "test/Tulip/1.jpg", "Tulip/1.jpg")
    assert search(tmp_path)[0] == {
        "Tulip": ["Tulip/1.jpg", "test/Tulip/1.jpg", "train/Tulip/1.jpg"]
    }


def test_files_beside_class_folders_are_strays(tmp_path):
    write_files(tmp_path, "readme.txt", "all/notes.txt", "all/deep/Orchid/1.jpg", "all/Lilly/1.jpg")
    assert search(tmp_path) == (
        {"Lilly": ["all/Lilly/1.jpg"], "Orchid": ["all/deep/Orchid/1.jpg"]},
        ["all/notes.txt", "readme.txt"],
    )


def test_files_directly_in_the_root_are_strays_even_alone(tmp_path):
    write_files(tmp_path, "1.jpg")
    assert search(tmp_path) == ({}, ["1.jpg"])


def test_hidden_and_macos_names_are_ignored(tmp_path):
    write_files(
        tmp_path,
        "Lotus/1.jpg",
        "Lotus/.DS_Store",
        "Empty/.keep",
        ".git/objects/x",
        "__MACOSX/Lotus/._1.jpg",
        "__MACOSX/Lotus/1.jpg",
    )
    assert search(tmp_path) == ({"Lotus": ["Lotus/1.jpg"]}, [])


def test_an_empty_folder_is_a_class_without_photos(tmp_path):
    write_files(tmp_path, "all/Lotus/1.jpg")
    (tmp_path / "all" / "Rose").mkdir()
    assert search(tmp_path) == ({"Lotus": ["all/Lotus/1.jpg"], "Rose": []}, [])


def test_a_folder_of_hidden_things_alone_is_no_class(tmp_path):
    write_files(tmp_path, "Lotus/1.jpg", "Cache/.keep", "Kept/.git/x", "Zipped/__MACOSX/._1.jpg")
    assert search(tmp_path) == ({"Lotus": ["Lotus/1.jpg"]}, [])


def test_an_empty_root_has_no_classes(tmp_path):
    assert search(tmp_path) == ({}, [])


def test_a_hidden_or_macos_root_is_searched_all_the_same(tmp_path):
    write_files(tmp_path, ".cache/Lotus/1.jpg")
    assert search(tmp_path / ".cache")[0] == {"Lotus": ["Lotus/1.jpg"]}


def test_links_are_reported_and_not_followed(tmp_path):
    write_files(tmp_path, "outside/Tulip/1.jpg", "root/Lotus/1.jpg")
    root = tmp_path / "root"
    (root / "Tulip").symlink_to(tmp_path / "outside" / "Tulip")
    (root / "Lotus" / "2.jpg").symlink_to(tmp_path / "outside" / "Tulip" / "1.jpg")
    (root / "Lotus" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    assert search(root) == (
        {"Lotus": ["Lotus/1.jpg"]},
        ["Lotus/2.jpg", "Lotus/gone.jpg", "Tulip"],
    )


def test_a_missing_root_is_bad_input_with_its_full_path(tmp_path):
    with pytest.raises(BadInput, match=str(tmp_path / "gone")):
        find_class_folders(tmp_path / "gone")


def test_an_empty_folder_inside_a_class_is_no_class(tmp_path):
    (tmp_path / "Tulip" / "later").mkdir(parents=True)
    (tmp_path / "Tulip" / "a.jpg").write_bytes(b"a")
    by_class, strays = find_class_folders(tmp_path)
    assert list(by_class) == ["Tulip"] and not strays
