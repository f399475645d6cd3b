import gzip
import io
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


def make(path, files):
    if path.suffix == ".zip":
        return make_zip(path, files)
    return make_tar(path, files, TAR_MODES[path.name.partition(".")[2]])


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_refused(archive, match=None, **limits):
    """Demand a refusal that names the archive and leaves nothing beside it."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(BadInput, match=match) as caught:
        unpack(archive, archive.parent / "out", **limits)
    assert str(archive) in str(caught.value)
    assert sorted(archive.parent.rglob("*")) == before


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_every_format_is_unpacked_whatever_its_name(tmp_path, suffix):
    made = make(tmp_path / f"a.{suffix}", FILES.items())
    archive = made.rename(tmp_path / "photos.dat")
    assert unpack(archive, tmp_path / "out") == 3
    assert tree(tmp_path / "out") == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos.dat"]


def test_the_progress_bar_ends_at_the_bytes_written(tmp_path, bars):
    unpack(make(tmp_path / "a.zip", FILES.items()), tmp_path / "out", bar=bars)
    assert [(bar.n, bar.total) for bar in bars.made] == [(sum(map(len, FILES.values())),) * 2]


def test_folders_are_unpacked_with_default_permissions(tmp_path):
    archive = tmp_path / "a.tar"
    info = tarfile.TarInfo("./empty")
    info.type, info.mode = tarfile.DIRTYPE, 0
    program = tarfile.TarInfo("./run")
    program.mode = 0o6777
    make_tar(archive, [(info, b""), (program, b"x")])
    unpack(archive, tmp_path / "out")
    (tmp_path / "usual").mkdir()
    (tmp_path / "usual" / "file").touch()
    mode = (tmp_path / "usual").stat().st_mode
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "out/empty").stat().st_mode == mode
    assert (tmp_path / "out/run").stat().st_mode == (tmp_path / "usual/file").stat().st_mode


def test_an_empty_target_is_used_and_a_full_one_refused(tmp_path):
    archive = make(tmp_path / "a.zip", FILES.items())
    (tmp_path / "out").mkdir()
    assert unpack(archive, tmp_path / "out") == 3
    with pytest.raises(BadInput, match="out"):
        unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize(
    "name",
    ["/etc/x", "../x", "a/../../x", "a/..", "C:/x", "c:x", "..\\x", "a\\b", "x" * 300, "n/" * 999],
)
def test_names_that_lead_out_are_refused(tmp_path, suffix, name):
    assert_refused(make(tmp_path / f"a.{suffix}", [("good", b"x"), (name, b"x")]))


def test_a_nul_in_a_zip_name_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("photoZ.jpg", b"x")])
    archive.write_bytes(archive.read_bytes().replace(b"photoZ", b"photo\0"))
    assert_refused(archive)


@pytest.mark.parametrize("suffix", ["zip", "tar"])
@pytest.mark.parametrize(
    "names",
    [
        ("a/1.jpg", "a/1.jpg"),
        ("a/1.jpg", "A/1.JPG"),
        ("a/1.jpg", "./a//1.jpg"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a/1.jpg"),
        ("a/1.jpg", "a"),
        (".",),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_whose_name_is_taken_are_refused(tmp_path, suffix, names):
    assert_refused(make(tmp_path / f"a.{suffix}", [(name, b"x") for name in names]))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "good"
    assert_refused(make_tar(tmp_path / "a.tar", [("good", b"x"), (info, b"")]), "odd")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, mode):
    info = zipfile.ZipInfo("odd")
    info.external_attr = (mode | 0o777) << 16
    assert_refused(make_zip(tmp_path / "a.zip", [(info, b"/etc/passwd")]), "odd")


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("1.jpg", b"x")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert_refused(archive, "encrypted")


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_more_bytes_than_the_ceiling_are_refused(tmp_path, suffix):
    archive = make(tmp_path / f"a.{suffix}", [("1", b"x" * 600), ("2", b"x" * 600)])
    assert_refused(archive, "'2'", max_bytes=1199)
    assert unpack(archive, tmp_path / "out", max_bytes=1200) == 2


def test_more_members_than_the_ceiling_are_refused(tmp_path):
    archive = make(tmp_path / "a.zip", FILES.items())
    assert_refused(archive, max_members=2)
    assert unpack(archive, tmp_path / "out", max_members=3) == 3


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_an_archive_that_expands_beyond_measure_is_refused(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    assert_refused(make(tmp_path / f"a.{suffix}", [("zeros", bytes(2 * 2**20))]))
    unpack(make(tmp_path / f"b.{suffix}", [("zeros", bytes(2**20))]), tmp_path / "out")


def test_a_tar_member_that_lies_about_its_size_is_refused_before_its_bytes_are_read(tmp_path):
    info = tarfile.TarInfo("huge")
    info.size = 2**40
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(10240))
    assert_refused(tmp_path / "a.tar", "huge")


def test_a_zip_member_that_lies_about_its_size_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("1.jpg", bytes(5000))])
    data = archive.read_bytes()
    archive.write_bytes(data.replace(struct.pack("<I", 5000), struct.pack("<I", 50)))
    assert_refused(archive, "1.jpg")


def test_a_zip_member_with_a_wrong_checksum_is_refused_and_leaves_nothing(tmp_path):
    archive = make_zip(
        tmp_path / "a.zip", [("1.jpg", b"good"), ("2.jpg", b"flower")], zipfile.ZIP_STORED
    )
    archive.write_bytes(archive.read_bytes().replace(b"flower", b"flover"))
    assert_refused(archive, "2.jpg")


def test_a_compressed_tar_with_a_wrong_checksum_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar.gz", FILES.items())
    data = bytearray(archive.read_bytes())
    data[-8] ^= 1
    archive.write_bytes(data)
    assert_refused(archive)


@pytest.mark.parametrize("suffix", ["zip", *TAR_MODES])
def test_a_cut_archive_is_refused(tmp_path, suffix):
    whole = make(tmp_path / f"a.{suffix}", FILES.items()).read_bytes()
    end = len(whole) if suffix != "tar" else whole.rindex(b"Lotus")
    for tenth in range(10):
        (tmp_path / f"a.{suffix}").write_bytes(whole[: end * tenth // 10])
        assert_refused(tmp_path / f"a.{suffix}")


def test_a_tar_with_a_broken_second_header_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar", FILES.items())
    archive.write_bytes(archive.read_bytes().replace(b"Tulip/deep", b"Tulip/DEEP"))
    assert_refused(archive)


@pytest.mark.parametrize(
    "data", [b"", b"flower" * 200, b"PK", b"PK\3\4", b"\x1f\x8b", gzip.compress(b"flower", mtime=0)]
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    assert_refused(tmp_path / "a.zip")


def test_a_missing_archive_is_refused(tmp_path):
    assert_refused(tmp_path / "gone.zip")


def test_damaged_archives_are_unpacked_or_refused(tmp_path):
    for seed in range(200):
        generator = np.random.default_rng(seed)
        suffix = ["zip", *TAR_MODES][seed % 5]
        archive = make(tmp_path / f"a.{suffix}", FILES.items())
        data = np.frombuffer(archive.read_bytes(), np.uint8).copy()
        data[generator.integers(0, len(data), 4)] = generator.integers(0, 256, 4)
        archive.write_bytes(data.tobytes())
        try:
            unpack(archive, tmp_path / f"out{seed}")
        except BadInput:
            assert not (tmp_path / f"out{seed}").exists()
