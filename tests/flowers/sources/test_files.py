"""Every source yields each file once, with its class, wherever the class folders are nested."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import (
    find_class_folders,
    find_fault,
    iterate_archive,
    iterate_folder,
    make_free_path,
)
from tests.flowers.images.photo_files import encode_image, make_picture, make_samples

FILES = {
    "all/Lotus/1.jpg": b"lotus one",
    "all/Tulip/2.jpg": b"tulip two",
    "all/Tulip/deep.jpg": b"tulip deep",
}
EXPECTED = [
    ("Lotus", "1.jpg", b"lotus one"),
    ("Tulip", "2.jpg", b"tulip two"),
    ("Tulip", "deep.jpg", b"tulip deep"),
]


def write_files(root):
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def make_zip(path, files=FILES):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_folder_gives_its_files_class_by_class(tmp_path):
    assert list(iterate_folder(write_files(tmp_path))) == EXPECTED
    assert list(iterate_folder(str(tmp_path))) == EXPECTED


def test_an_unreadable_file_is_listed_and_costs_no_other(tmp_path, monkeypatch):
    shut = write_files(tmp_path) / "all/Tulip/2.jpg"
    shut.chmod(0)
    if os.access(shut, os.R_OK):  # root reads everything
        original_open = io.open

        def refuse_open(file, *arguments, **options):
            if Path(file) == shut:
                raise PermissionError(13, "Permission denied", str(file))
            return original_open(file, *arguments, **options)

        monkeypatch.setattr(io, "open", refuse_open)
    files = list(iterate_folder(tmp_path))
    assert [files[0], files[2]] == [EXPECTED[0], EXPECTED[2]]
    assert files[1][:2] == ("Tulip", "2.jpg") and find_fault(files[1][2]) == "cannot be read"


@pytest.mark.parametrize(("name", "message"), [("all/Rose/", "'Rose'"), ("1.jpg", "a.zip")])
def test_a_source_without_images_in_a_class_folder_is_refused_by_name(tmp_path, name, message):
    files = {name: b""} | (FILES if name.endswith("/") else {})
    archive = make_zip(tmp_path / "a.zip", files)
    with pytest.raises(BadInput, match=message):
        list(iterate_archive(str(archive), tmp_path / "cache"))
    with pytest.raises(BadInput, match=str(tmp_path / "gone")):
        find_class_folders(tmp_path / "gone")


def test_an_archive_gives_the_files_of_its_folder_and_its_copy_is_removed(tmp_path):
    archive = make_zip(tmp_path / "a.zip")
    cache = tmp_path / "cache"
    assert list(iterate_archive(str(archive), cache)) == EXPECTED
    assert list(cache.iterdir()) == []
    files = iterate_archive(str(archive), cache)
    assert next(files) == EXPECTED[0]
    files.close()
    assert list(cache.iterdir()) == []


def test_an_unsafe_member_is_listed_and_costs_nothing_else(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"../out.jpg": b"x"} | FILES)
    *files, (label, name, content) = iterate_archive(str(archive), tmp_path / "cache")
    assert (files, label, name) == (EXPECTED, None, "../out.jpg")
    assert find_fault(content) == "an unsafe name in the archive"
    assert not (tmp_path / "out.jpg").exists()


def test_an_archive_of_rejected_members_is_refused_with_a_reason(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"../out.jpg": b"x"})
    with pytest.raises(BadInput, match=r"a\.zip: no file .*'\.\./out\.jpg': an unsafe name"):
        list(iterate_archive(str(archive), tmp_path / "cache"))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("place", "mode"),
    [("inner", "zip"), ("set/inner", "w"), ("set/inner", "w:gz"), ("set/deep/inner", "w:xz")],
)
def test_an_archive_with_an_archive_and_no_photo_is_refused_by_both_names(tmp_path, place, mode):
    buffer = io.BytesIO()
    if mode == "zip":
        make_zip(buffer)
    else:
        with tarfile.open(fileobj=buffer, mode=mode) as archive:
            archive.addfile(tarfile.TarInfo("empty"))
    outer = make_zip(tmp_path / "outer.zip", {place: buffer.getvalue(), "readme.txt": b"about"})
    with pytest.raises(BadInput, match=r"outer\.zip: it holds an archive \(inner\): unpack it"):
        list(iterate_archive(str(outer), tmp_path / "cache"))


def test_an_archive_beside_photos_is_yielded_like_any_file(tmp_path):
    photo = encode_image(make_picture(), "PNG")
    inner = make_zip(tmp_path / "inner.zip").read_bytes()
    files = {"a/1.png": photo, "b/2.png": photo, "c.zip": inner}
    outer = make_zip(tmp_path / "outer.zip", files)
    files = list(iterate_archive(str(outer), tmp_path / "cache"))
    assert [name for _, name, _ in files] == ["1.png", "2.png", "c.zip"]


def test_a_fault_names_the_format_where_it_is_known():
    assert not any(map(find_fault, make_samples().values()))
    assert find_fault(b"") == "empty"
    assert find_fault(b"flower" * 9) == "not a JPEG, PNG or WEBP"
    assert find_fault(encode_image(make_picture(), "GIF")) == (
        "not a JPEG, PNG or WEBP: it is a GIF"
    )


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


TREES = {
    "an empty root has no classes": ([], {}, []),
    "the root is never a class": (["1.jpg"], {}, ["1.jpg"]),
    "classes at any depth are sorted": (
        ["a/b/Tulip/2.jpg", "a/b/Tulip/10.jpg", "Lotus/1.jpg"],
        {"Lotus": ["Lotus/1.jpg"], "Tulip": ["a/b/Tulip/10.jpg", "a/b/Tulip/2.jpg"]},
        [],
    ),
    "folders of the same name are one class": (
        ["train/Tulip/1.jpg", "test/Tulip/1.jpg", "Tulip/1.jpg"],
        {"Tulip": ["Tulip/1.jpg", "test/Tulip/1.jpg", "train/Tulip/1.jpg"]},
        [],
    ),
    "files beside class folders are strays": (
        ["readme.txt", "all/notes.txt", "all/deep/Orchid/1.jpg", "all/Lilly/1.jpg"],
        {"Lilly": ["all/Lilly/1.jpg"], "Orchid": ["all/deep/Orchid/1.jpg"]},
        ["all/notes.txt", "readme.txt"],
    ),
    "hidden and macOS names are ignored": (
        ["Lotus/1.jpg", "Lotus/.DS_Store", "Kept/.git/x", "Zipped/__MACOSX/._1.jpg"],
        {"Lotus": ["Lotus/1.jpg"]},
        [],
    ),
    "an empty folder is a class without images": (
        ["all/Lotus/1.jpg", "all/Rose/"],
        {"Lotus": ["all/Lotus/1.jpg"], "Rose": []},
        [],
    ),
    "an empty folder inside a class is not a class": (
        ["Tulip/a.jpg", "Tulip/later/"],
        {"Tulip": ["Tulip/a.jpg"]},
        [],
    ),
}


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


@pytest.mark.parametrize("case", TREES)
def test_class_folders_and_strays(tmp_path, case):
    names, classes, strays = TREES[case]
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
