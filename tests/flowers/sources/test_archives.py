"""Archives are unpacked by content; unsafe members are left out, and damaged archives refused."""

import gzip
import io
import re
import stat
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from flowers.base.errors import BadInput
from flowers.sources import archives
from flowers.sources.archives import unpack

FILES = {"Tulip/1.jpg": b"one" * 1000, "Tulip/deep/2.jpg": b"two", "Lotus/3.jpg": b""}
TAR_MODES = {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def make_zip(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, body in files:
            archive.writestr(name, body)
    return path


def make_tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, body in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return path


def make_archive(path, files):
    if path.suffix == ".zip":
        return make_zip(path, files)
    return make_tar(path, files, TAR_MODES[path.name.partition(".")[2]])


def read_tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_refused(archive, match=None, **limits):
    """Expect an error that names the archive, and nothing left beside it."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(BadInput, match=match) as caught:
        unpack(archive, archive.parent / "out", **limits)
    assert str(archive) in str(caught.value)
    assert sorted(archive.parent.rglob("*")) == before


def assert_only_good_unpacked(archive, bad_name, match):
    """Expect the file "good" to be unpacked, and the other member listed with its reason."""
    rejected = unpack(archive, archive.parent / "out")
    assert list(rejected) == [bad_name] and match in rejected[bad_name]
    assert list(read_tree(archive.parent)) == [archive.name, "out/good"]


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_every_format_is_unpacked_whatever_its_name(tmp_path, suffix, bars):
    made = make_archive(tmp_path / f"a.{suffix}", FILES.items())
    archive = made.rename(tmp_path / "photos.dat")
    assert unpack(archive, tmp_path / "out", bar=bars) == {}
    assert read_tree(tmp_path / "out") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos.dat"]
    assert [bar.n for bar in bars.made] == [sum(map(len, FILES.values()))]


def test_files_and_folders_get_default_permissions(tmp_path):
    folder = tarfile.TarInfo("./empty")
    folder.type, folder.mode = tarfile.DIRTYPE, 0
    program = tarfile.TarInfo("./run")
    program.mode = 0o6777
    unpack(make_tar(tmp_path / "a.tar", [(folder, b""), (program, b"x")]), tmp_path / "out")
    (tmp_path / "usual").mkdir()
    (tmp_path / "usual" / "file").touch()
    mode = (tmp_path / "usual").stat().st_mode
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "out/empty").stat().st_mode == mode
    assert (tmp_path / "out/run").stat().st_mode == (tmp_path / "usual/file").stat().st_mode


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "C:/x", "c:x", "..\\x", "\\\\a\\b"]
)
def test_a_member_with_an_unsafe_name_is_left_out(tmp_path, suffix, name):
    archive = make_archive(tmp_path / f"a.{suffix}", [(name, b"x"), ("good", b"x")])
    listed = name.replace("\\", "/") if suffix == "zip" else name
    assert_only_good_unpacked(archive, listed, "unsafe name")


def test_backslashes_of_a_zip_made_on_windows_are_separators(tmp_path):
    members = [("Tulip\\", b""), ("Tulip\\1.jpg", b"one"), ("Tulip/1.jpg", b"two"), ("2.jpg", b"x")]
    archive = make_zip(tmp_path / "a.zip", members)
    assert list(unpack(archive, tmp_path / "out")) == ["Tulip/1.jpg"]
    assert read_tree(tmp_path / "out") == {"Tulip/1.jpg": b"one", "2.jpg": b"x"}
    tar = make_tar(tmp_path / "a.tar", [("Tulip\\1.jpg", b"one"), ("good", b"x")])
    assert list(unpack(tar, tmp_path / "tar")) == ["Tulip\\1.jpg"]


def test_names_in_utf8_without_the_flag_for_it_are_read(tmp_path):
    """As the Finder of macOS writes them; other names are of code page 437."""
    archive = make_zip(tmp_path / "a.zip", [("\xc9crou/1.jpg", b"x"), ("\xc9/2.jpg", b"y")])
    data = archive.read_bytes().replace("\xc9/2".encode(), b"A\x90/2")
    for header in (b"PK\x01\x02", b"PK\x03\x04"):
        offset = 8 if header == b"PK\x01\x02" else 6
        for start in [match.start() for match in re.finditer(header, data)]:
            data = data[: start + offset] + b"\0\0" + data[start + offset + 2 :]
    archive.write_bytes(data)
    assert unpack(archive, tmp_path / "out") == {}
    assert set(read_tree(tmp_path / "out")) == {"\xc9crou/1.jpg", "A\xc9/2.jpg"}


@pytest.mark.parametrize("suffix", ["zip", "tar"])
@pytest.mark.parametrize("name", ["x" * 300, "n/" * 3000 + "x", ".", "good/1.jpg"])
def test_a_member_whose_name_cannot_be_stored_is_left_out(tmp_path, suffix, name):
    archive = make_archive(tmp_path / f"a.{suffix}", [("good", b"x"), (name, b"x")])
    rejected = unpack(archive, tmp_path / "out")
    assert list(rejected) == [name] and "name" in rejected[name]
    assert (tmp_path / "out/good").read_bytes() == b"x"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("suffix", ["zip", "tar"])
@pytest.mark.parametrize("name", ["good", "./good", "GOOD"])
def test_of_two_members_with_one_name_the_first_is_unpacked(tmp_path, suffix, name):
    archive = make_archive(tmp_path / f"a.{suffix}", [("good", b"first"), (name, b"second")])
    assert_only_good_unpacked(archive, name, "twice")
    assert (tmp_path / "out/good").read_bytes() == b"first"


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_a_link_or_a_device_is_left_out(tmp_path, kind):
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "good"
    archive = make_tar(tmp_path / "a.tar", [("good", b"x"), (info, b"")])
    assert_only_good_unpacked(archive, "odd", "link or a device")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_a_device_in_a_zip_is_left_out(tmp_path, kind):
    info = zipfile.ZipInfo("odd")
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    archive = make_zip(tmp_path / "a.zip", [("good", b"x"), (info, b"good")])
    assert_only_good_unpacked(archive, "odd", "link or a device")


def test_an_encrypted_member_is_left_out(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("odd", b"x"), ("good", b"x")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert_only_good_unpacked(archive, "odd", "encrypted")


@pytest.mark.parametrize(
    ("true", "false"), [(b"flower", b"flover"), (struct.pack("<I", 5000), struct.pack("<I", 50))]
)
def test_a_zip_member_with_a_wrong_checksum_or_size_is_left_out(tmp_path, true, false):
    members = [("odd", b"flower".ljust(5000)), ("good", b"x")]
    archive = make_zip(tmp_path / "a.zip", members, zipfile.ZIP_STORED)
    archive.write_bytes(archive.read_bytes().replace(true, false))
    assert_only_good_unpacked(archive, "odd", "corrupt")


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_more_bytes_or_members_than_the_limit_are_refused(tmp_path, suffix):
    archive = make_archive(tmp_path / f"a.{suffix}", [("1", b"x" * 600), ("2", b"x" * 600)])
    assert_refused(archive, "'2'", max_bytes=1199)
    assert_refused(archive, "'2'", max_members=1)
    assert unpack(archive, tmp_path / "out", max_bytes=1200, max_members=2) == {}


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_an_archive_that_expands_too_much_is_refused(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    assert_refused(make_archive(tmp_path / f"a.{suffix}", [("zeros", bytes(2 * 2**20))]))
    unpack(make_archive(tmp_path / f"b.{suffix}", [("zeros", bytes(2**20))]), tmp_path / "out")
    huge = tarfile.TarInfo("huge")
    huge.size = 2**40  # a false size is refused before the bytes are read
    (tmp_path / "c.tar").write_bytes(huge.tobuf() + bytes(10240))
    (tmp_path / "out").rename(tmp_path / "done")
    assert_refused(tmp_path / "c.tar", "huge")


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_a_cut_archive_is_refused(tmp_path, suffix):
    whole = make_archive(tmp_path / f"a.{suffix}", FILES.items()).read_bytes()
    end = len(whole) if suffix != "tar" else whole.rindex(b"Lotus")
    for tenth in range(10):
        (tmp_path / f"a.{suffix}").write_bytes(whole[: end * tenth // 10])
        assert_refused(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize(
    "data", [b"", b"flower" * 200, b"PK", b"PK\3\4", b"\x1f\x8b", gzip.compress(b"flower", mtime=0)]
)
def test_a_file_that_is_not_an_archive_is_refused(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    assert_refused(tmp_path / "a.zip")
    assert_refused(tmp_path / "missing.zip")


def test_a_damaged_archive_is_unpacked_or_refused(tmp_path):
    for seed in range(200):
        generator = np.random.default_rng(seed)
        suffix = ["zip", *TAR_MODES][seed % 5]
        archive = make_archive(tmp_path / f"a.{suffix}", FILES.items())
        data = np.frombuffer(archive.read_bytes(), np.uint8).copy()
        data[generator.integers(0, len(data), 4)] = generator.integers(0, 256, 4)
        archive.write_bytes(data.tobytes())
        try:
            unpack(archive, tmp_path / f"out{seed}")
        except BadInput:
            assert not (tmp_path / f"out{seed}").exists()
