"""Every source yields each file once, with its class, wherever the class folders are nested."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import find_members, iterate_archive, iterate_folder
from flowers.sources.folders import find_fault
from tests.flowers.images.photo_files import encode_image, make_picture

FILES = {
    "all/Lotus/1.jpg": b"lotus one",
    "all/Tulip/2.jpg": b"tulip two",
    "all/Tulip/deep.jpg": b"tulip deep",
}
EXPECTED = [
    ("Lotus", "1.jpg", b"lotus one", "", "all/Lotus/1.jpg"),
    ("Tulip", "2.jpg", b"tulip two", "", "all/Tulip/2.jpg"),
    ("Tulip", "deep.jpg", b"tulip deep", "", "all/Tulip/deep.jpg"),
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


@pytest.mark.parametrize(("name", "message"), [("all/Rose/", "'all/Rose'"), ("1.jpg", "a.zip")])
def test_a_source_without_images_in_a_class_folder_is_refused_by_name(tmp_path, name, message):
    files = {name: b""} | (FILES if name.endswith("/") else {})
    archive = make_zip(tmp_path / "a.zip", files)
    with pytest.raises(BadInput, match=message):
        list(iterate_archive(str(archive), tmp_path / "cache"))
    with pytest.raises(BadInput, match=str(tmp_path / "gone")):
        find_members(tmp_path / "gone")


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
    *files, (label, name, content, *_) = iterate_archive(str(archive), tmp_path / "cache")
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
    assert [name for _, name, *_ in files] == ["1.png", "2.png", "c.zip"]


@pytest.mark.parametrize("place", ["", "photos/"])
def test_an_archive_with_a_table_is_read(tmp_path, place):
    photo = encode_image(make_picture(), "PNG")
    table = b"file,label\n1.png,Rose\n2.png,Iris\n3.png,Iris\n"
    files = {"labels.csv": table, "1.png": photo, "2.png": photo}
    archive = make_zip(tmp_path / "a.zip", {place + name: files[name] for name in files})
    found = list(iterate_archive(str(archive), tmp_path / "cache"))
    assert [(file.label, file.name) for file in found] == [
        ("Iris", "2.png"),
        ("Rose", "1.png"),
        (None, "3.png"),
    ]
