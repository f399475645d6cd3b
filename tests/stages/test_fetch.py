import csv
import io
import json
import shutil
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image


def jpeg(seed=0):
    out = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "JPEG")
    return out.getvalue()


def read_figures(repo_copy):
    return json.loads((repo_copy.path / "metrics/fetch.json").read_text())


def list_photos(repo_copy):
    return [p for p in (repo_copy.path / "data/photos").rglob("*") if p.is_file()]


def test_every_file_is_a_photo_or_listed_with_its_reason(finished_run):
    counts = read_figures(finished_run)
    photos = [p for p in (finished_run.path / "data/photos").rglob("*") if p.is_file()]
    with (finished_run.path / "metrics/fetch_rejected.csv").open() as file:
        rejected = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert counts["photos"] == len(photos) == sum(counts["classes"].values())
    assert counts["rejected"]["total"] == len(rejected)
    assert rejected["Lotus/notes.jpg"] == "not a JPEG, PNG or WEBP"
    assert rejected["Orchid/empty.jpg"] == "empty"
    assert (finished_run.path / "data/photos/Lilly/extensionless").is_file()


def test_a_folder_is_read_by_content_wherever_its_classes_are_nested(workdir, folder):
    deep = folder({"set/train/Rose": {"a": jpeg(1)}, "set/test/Rose": {"a": jpeg(2)}, "Iris": {}})
    Image.new("RGB", (9, 9)).save(f"{deep}/Iris/b.png")
    workdir.run_stage("fetch", **{"fetch.source": "folder", "fetch.path": deep})
    assert read_figures(workdir)["classes"] == {"Iris": 1, "Rose": 2}
    names = {p.name for p in (workdir.path / "data/photos/Rose").iterdir()}
    assert names == {"a", "a-2"}


def test_an_archive_is_read_and_its_digest_demanded(workdir, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for label in ("Rose", "Iris"):
            file.writestr(f"photos/{label}/1.jpg", jpeg())
    source = {"fetch.source": "archive", "fetch.path": str(archive)}
    workdir.run_stage("fetch", **source)
    assert read_figures(workdir)["classes"] == {"Iris": 1, "Rose": 1}
    before = (workdir.path / "metrics/fetch.json").read_bytes()
    line = workdir.expect_refusal("fetch", **source, **{"fetch.sha256": "0" * 64})
    assert "0" * 64 in line and "photos.zip" in line
    assert (workdir.path / "metrics/fetch.json").read_bytes() == before
    assert not list((workdir.path / "data").glob(".partial*"))


def test_a_missing_archive_is_named_by_its_full_path(workdir):
    line = workdir.expect_refusal(
        "fetch", **{"fetch.source": "archive", "fetch.path": "nowhere.zip"}
    )
    assert str(workdir.path / "nowhere.zip") in line


def test_unsafe_members_are_listed_and_cost_no_other(workdir, tmp_path):
    archive = tmp_path / "unsafe.zip"
    members = ("../evil.jpg", "/evil.jpg", "Rose/../../evil.jpg")
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("Rose/1.jpg", "Iris/1.jpg", *members):
            file.writestr(name, jpeg())
    workdir.run_stage("fetch", **{"fetch.source": "archive", "fetch.path": str(archive)})
    assert read_figures(workdir)["classes"] == {"Iris": 1, "Rose": 1}
    with (workdir.path / "metrics/fetch_rejected.csv").open() as file:
        rejected = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert rejected == dict.fromkeys(members, "an unsafe name in the archive")
    assert not list(tmp_path.rglob("evil.jpg"))


def test_an_empty_class_is_refused_by_name(workdir, folder):
    path = folder({"Rose": {"a.jpg": jpeg()}, "Iris": {}})
    assert "Iris" in workdir.expect_refusal(
        "fetch", **{"fetch.source": "folder", "fetch.path": path}
    )


def test_a_class_without_a_photo_is_refused_by_name(workdir, folder):
    path = folder({"Rose": {"a.jpg": jpeg()}, "Iris": {"readme.txt": b"none"}})
    assert "Iris" in workdir.expect_refusal(
        "fetch", **{"fetch.source": "folder", "fetch.path": path}
    )


def test_one_class_is_too_few(workdir, folder):
    path = folder({"Rose": {"a.jpg": jpeg()}})
    assert "Rose" in workdir.expect_refusal(
        "fetch", **{"fetch.source": "folder", "fetch.path": path}
    )


def test_a_review_leaves_photos_out_and_moves_others(workdir, folder):
    photos = {"Rose": {"a": jpeg(1), "b": jpeg(2)}, "Iris": {"c": jpeg(3), "d": jpeg(4)}}
    source = {"fetch.source": "folder", "fetch.path": folder(photos)}
    out, other = (sha256(jpeg(seed)).hexdigest() for seed in (2, 3))
    (workdir.path / "review/exclude.csv").write_text(f"sha256\n{out}\n")
    (workdir.path / "review/relabel.csv").write_text(f"sha256,label\n{other},Rose\n")
    workdir.run_stage("fetch", **source)
    names = {p.relative_to(workdir.path / "data/photos").as_posix() for p in list_photos(workdir)}
    assert names == {"Rose/a", "Rose/c", "Iris/d"}
    figures = read_figures(workdir)
    assert figures["excluded"] == figures["relabelled"] == {"listed": 1, "matched": 1}
    (workdir.path / "review/relabel.csv").write_text(f"sha256,label\n{other},Ross\n")
    line = workdir.expect_refusal("fetch", **source)
    assert "Ross" in line and "review/relabel.csv" in line


def test_a_review_is_an_input_that_dvc_follows(repo_copy):
    photo = sorted(list_photos(repo_copy))[0]
    line = f"{sha256(photo.read_bytes()).hexdigest()},{photo.parent.name}\n"
    with (repo_copy.path / "review/exclude.csv").open("a") as file:
        file.write(line)
    assert "review/exclude.csv" in repo_copy.run("dvc", "status", "fetch").stdout


def make_zip(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("place", ["photos.zip", "data/photos.zip", "Rose/photos"])
def test_an_archive_in_an_archive_is_named_with_what_to_do(workdir, tmp_path, place):
    inner = make_zip({f"{label}/1.jpg": jpeg() for label in ("Rose", "Iris")})
    archive = tmp_path / "outer.zip"
    archive.write_bytes(make_zip({place: inner}))
    line = workdir.expect_refusal(
        "fetch", **{"fetch.source": "archive", "fetch.path": str(archive)}
    )
    assert place.rpartition("/")[2] in line and "unpack" in line


def test_an_archive_beside_the_classes_is_listed_as_one(workdir, folder):
    source = folder({label: {"1.jpg": jpeg()} for label in ("Rose", "Iris")})
    with open(f"{source}/Tulip.zip", "wb") as file:
        file.write(make_zip({"Tulip/1.jpg": jpeg()}))
    workdir.run_stage("fetch", **{"fetch.source": "folder", "fetch.path": source})
    rejected = (workdir.path / "metrics/fetch_rejected.csv").read_text()
    assert "Tulip.zip,an archive inside: unpack it first" in rejected


@pytest.mark.parametrize("label", ["Gef\udce4hrlich", "Rose\rIris", "a\\b", "x" * 201])
def test_a_class_with_an_odd_name_is_refused_by_it(workdir, folder, label):
    path = folder({"Rose": {"a": jpeg(1)}, label: {"b": jpeg(2)}})
    line = workdir.expect_refusal("fetch", **{"fetch.source": "folder", "fetch.path": path})
    assert repr(label) in line and "rename" in line


def test_a_file_that_is_no_photo_is_listed_whatever_its_name(workdir, folder):
    photos = {"Rose": {"a": jpeg(1), "b\udcff\r": b"text"}, "Iris": {"b": jpeg(2)}}
    workdir.run_stage("fetch", **{"fetch.source": "folder", "fetch.path": folder(photos)})
    with (workdir.path / "metrics/fetch_rejected.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["Rose/b__"]


def test_dvc_keeps_a_photo_whatever_its_name(repo_copy, folder):
    names = ["a.swp", "b.pyc", "c~", "#d#", "e.dvc", "dvc.yaml"]
    photos = {n: jpeg(seed) for seed, n in enumerate(names)}
    source = folder({"Rose~": photos, "__pycache__": photos})
    repo_copy.set_params(**{"fetch.source": "folder", "fetch.path": source})
    repo_copy.repro("fetch")
    before = {p.relative_to(repo_copy.path) for p in list_photos(repo_copy)}
    shutil.rmtree(repo_copy.path / "data/photos")
    repo_copy.run("dvc", "checkout", "data/photos")
    assert before == {p.relative_to(repo_copy.path) for p in list_photos(repo_copy)}
    assert len(before) == 2 * len(names)
