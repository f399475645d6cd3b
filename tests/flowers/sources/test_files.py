"""Every source yields each file once, with its class, its name and its bytes."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from flowers.base.errors import BadInput
from flowers.sources.files import (
    find_fault,
    iterate_archive,
    iterate_folder,
    iterate_synthetic,
    make_free_path,
)
from flowers.synthetic.malformed import MALFORMED_FILES
from flowers.synthetic.picture import SPECIES
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


def test_strays_come_last_without_a_class(tmp_path):
    (write_files(tmp_path) / "all" / "readme.txt").write_bytes(b"text")
    *files, (label, name, content) = iterate_folder(tmp_path)
    assert (files, label, name) == (EXPECTED, None, "all/readme.txt")
    assert find_fault(content) == "not in a class folder"


def test_an_empty_class_folder_is_refused_by_name(tmp_path):
    (write_files(tmp_path) / "all" / "Rose").mkdir()
    with pytest.raises(BadInput, match="'Rose'"):
        list(iterate_folder(tmp_path))


def test_a_tree_without_class_folders_is_refused_by_its_path(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"x")
    with pytest.raises(BadInput, match=str(tmp_path)):
        list(iterate_folder(tmp_path))


def test_an_archive_gives_what_its_folder_would_and_is_cleared_away(tmp_path):
    archive, cache = make_zip(tmp_path / "a.zip"), tmp_path / "cache"
    assert list(iterate_archive(str(archive), cache)) == EXPECTED
    assert list(cache.iterdir()) == []


def test_an_archive_left_half_read_is_cleared_away(tmp_path):
    files = iterate_archive(str(make_zip(tmp_path / "a.zip")), tmp_path / "cache")
    assert next(files) == EXPECTED[0]
    files.close()
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_archive_with_another_digest_is_refused(tmp_path):
    with pytest.raises(BadInput):
        list(iterate_archive(str(make_zip(tmp_path / "a.zip")), tmp_path / "cache", "0" * 64))


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


def test_the_progress_bar_counts_bytes(tmp_path, bars):
    list(iterate_archive(str(make_zip(tmp_path / "a.zip")), tmp_path / "cache", None, bars))
    assert [bar.n for bar in bars.made] == [sum(map(len, FILES.values()))]


def make_tar(files, mode="w"):
    """A tar archive of files, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("place", ["inner", "set/inner", "set/deep/inner"])
@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_that_holds_an_archive_and_no_photo_is_refused_by_both_names(
    tmp_path, place, mode
):
    inner = make_zip(tmp_path / "i").read_bytes() if mode == "zip" else make_tar(FILES, mode)
    outer = make_zip(tmp_path / "outer.zip", {place: inner, "readme.txt": b"about"})
    with pytest.raises(BadInput, match=r"outer\.zip: it holds an archive \(inner\): unpack it"):
        list(iterate_archive(str(outer), tmp_path / "cache"))


def test_an_archive_beside_photos_is_yielded_like_any_file(tmp_path):
    photo = encode_image(make_picture(), "PNG")
    outer = make_zip(
        tmp_path / "outer.zip", {"a/1.png": photo, "b/2.png": photo, "c.zip": make_tar({})}
    )
    files = list(iterate_archive(str(outer), tmp_path / "cache"))
    assert [name for _, name, _ in files] == ["1.png", "2.png", "c.zip"]


def test_errors_name_the_archive_and_not_the_folder_it_was_unpacked_into(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"1.jpg": b"x"})
    with pytest.raises(BadInput, match=str(archive)):
        list(iterate_archive(str(archive), tmp_path / "cache"))


def test_the_synthetic_source_has_the_species_as_classes():
    files = list(iterate_synthetic(2, 0.0, 0, seed=0, jobs=1))
    assert len(files) == 2 * len(SPECIES) + len(MALFORMED_FILES)
    assert {label for label, _, _ in files} == set(SPECIES)
    assert all("/" not in name for _, name, _ in files)


def test_the_archive_of_real_photos_has_five_classes_of_readable_kinds(real_zip, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(real_zip) as archive, zipfile.ZipFile(buffer, "w") as part:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        for name in names[::50]:
            part.writestr(name, archive.read(name))
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    files = list(iterate_archive(str(tmp_path / "a.zip"), tmp_path / "cache"))
    assert len(files) == len(names[::50])
    assert {label for label, _, _ in files} == set(SPECIES)
    assert not any(find_fault(content) for _, _, content in files)


def test_a_fault_names_the_format_where_it_is_known():
    assert not any(map(find_fault, make_samples().values()))
    assert find_fault(b"") == "empty"
    assert find_fault(b"flower" * 9) == "not a JPEG, PNG or WEBP"
    assert find_fault(encode_image(make_picture(), "GIF")) == (
        "not a JPEG, PNG or WEBP: it is a GIF"
    )


def test_a_taken_name_gets_a_number_before_its_suffix(tmp_path):
    folder, names = tmp_path / "photos" / "Tulip", []
    for name in ("1.jpg", "1.jpg", "1.jpg", "1.png", "none", "none"):
        path = make_free_path(folder, name)
        path.write_bytes(b"x")
        names.append(path.relative_to(folder).as_posix())
    assert names == ["1.jpg", "1-2.jpg", "1-3.jpg", "1.png", "none", "none-2"]


def test_a_name_becomes_printable_text_of_one_line(tmp_path):
    names = ("a\r.jpg", "a\n.jpg", "a\udcff.jpg", "\u202egpj.jpg", "b\\c", "Gänse blume.jpg")
    placed = []
    for name in names:
        path = make_free_path(tmp_path, name)
        path.write_bytes(b"x")
        placed.append(path.name)
    assert placed == ["a_.jpg", "a_-2.jpg", "a_-3.jpg", "_gpj.jpg", "b_c", "Gänse blume.jpg"]


@pytest.mark.parametrize("name", ["ä" * 125 + ".jpg", "x" * 255, "x." + "y" * 253])
def test_a_long_name_that_is_taken_gets_a_number_too(tmp_path, name):
    paths = set()
    for _ in range(3):
        path = make_free_path(tmp_path, name)
        path.write_bytes(b"x")
        paths.add(path)
    assert len(paths) == 3 and all(len(path.name.encode()) <= 210 for path in paths)
    assert all(path.suffix == ".jpg" for path in paths) == name.endswith(".jpg")
