import contextlib
import csv
import io
import json
import shutil
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from flowers.base.errors import BadInput
from stages.support.repro import check_before_run


def make_jpeg(seed=0):
    out = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "JPEG")
    return out.getvalue()


def read_figures(repo_copy):
    return json.loads((repo_copy.path / "metrics/fetch.json").read_text())


def list_photos(repo_copy):
    return [p for p in (repo_copy.path / "data/photos").rglob("*") if p.is_file()]


def test_every_file_is_a_photo_or_listed_with_its_reason(finished_run):
    figures = read_figures(finished_run)
    with (finished_run.path / "metrics/fetch_rejected.csv").open() as file:
        rejected = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    count = len(list_photos(finished_run))
    assert figures["photos"] == count == sum(figures["classes"].values())
    assert figures["rejected"]["total"] == len(rejected)
    assert rejected["Lotus/notes.jpg"] == "not a JPEG, PNG or WEBP"
    assert rejected["Orchid/empty.jpg"] == "empty"
    assert (finished_run.path / "data/photos/Lilly/extensionless").is_file()


def test_nested_class_folders_are_read_by_content(workdir, folder):
    deep = folder(
        {
            "set/train/Rose": {"a": make_jpeg(1)},
            "set/test/Rose": {"a": make_jpeg(2)},
            "set/train/Iris": {},
        }
    )
    Image.new("RGB", (9, 9)).save(f"{deep}/set/train/Iris/b.png")
    workdir.run_stage("fetch", **{"fetch.source": "folder", "fetch.path": deep})
    assert read_figures(workdir)["classes"] == {"Iris": 1, "Rose": 2}
    names = {p.name for p in (workdir.path / "data/photos/Rose").iterdir()}
    assert names == {"a", "a-2"}
    lines = (workdir.path / "data/parts.csv").read_text().splitlines()
    assert lines == ["path,part", "Iris/b.png,train", "Rose/a,test", "Rose/a-2,train"]
    assert read_figures(workdir)["parts"] == {"train": 2, "test": 1}


def test_an_archive_is_read_and_its_digest_compared(workdir, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for label in ("Rose", "Iris"):
            file.writestr(f"photos/{label}/1.jpg", make_jpeg())
    source = {"fetch.source": "archive", "fetch.path": str(archive)}
    workdir.run_stage("fetch", **source)
    assert read_figures(workdir)["classes"] == {"Iris": 1, "Rose": 1}
    before = (workdir.path / "metrics/fetch.json").read_bytes()
    line = workdir.expect_refusal("fetch", **source, **{"fetch.sha256": "0" * 64})
    assert "0" * 64 in line and "photos.zip" in line
    assert (workdir.path / "metrics/fetch.json").read_bytes() == before
    assert not list((workdir.path / "data").glob(".partial*"))


def test_a_class_without_a_photo_is_refused(workdir, folder):
    files = {"Rose": {"a.jpg": make_jpeg()}, "Iris": {"readme.txt": b"none"}}
    source = {"fetch.source": "folder", "fetch.path": folder(files)}
    assert "Iris" in workdir.expect_refusal("fetch", **source)


def test_a_review_leaves_photos_out_and_moves_others(workdir, folder):
    photos = {
        "Rose": {"a": make_jpeg(1), "b": make_jpeg(2)},
        "Iris": {"c": make_jpeg(3), "d": make_jpeg(4)},
    }
    source = {"fetch.source": "folder", "fetch.path": folder(photos)}
    out, other = (sha256(make_jpeg(seed)).hexdigest() for seed in (2, 3))
    (workdir.path / "review/exclude.csv").write_text(f"sha256\n{out}\n")
    (workdir.path / "review/relabel.csv").write_text(f"sha256,label\n{other},Rose\n")
    workdir.run_stage("fetch", **source)
    names = {p.relative_to(workdir.path / "data/photos").as_posix() for p in list_photos(workdir)}
    assert names == {"Rose/a", "Rose/c", "Iris/d"}
    figures = read_figures(workdir)
    assert figures["excluded"] == figures["relabelled"] == {"listed": 1, "matched": 1}


def test_a_file_that_is_not_an_image_is_listed_by_a_printable_name(workdir, folder):
    photos = {"Rose": {"a": make_jpeg(1), "b\udcff\r": b"text"}, "Iris": {"b": make_jpeg(2)}}
    workdir.run_stage("fetch", **{"fetch.source": "folder", "fetch.path": folder(photos)})
    with (workdir.path / "metrics/fetch_rejected.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["Rose/b__"]


@pytest.mark.slow
def test_dvc_restores_photos_of_any_name(repo_copy, folder):
    names = ["a.swp", "b.pyc", "c~", "#d#", "e.dvc", "dvc.yaml"]
    photos = {n: make_jpeg(seed) for seed, n in enumerate(names)}
    source = folder({"Rose~": photos, "__pycache__": photos})
    repo_copy.set_params(**{"fetch.source": "folder", "fetch.path": source})
    repo_copy.repro("fetch")
    before = {p.relative_to(repo_copy.path) for p in list_photos(repo_copy)}
    shutil.rmtree(repo_copy.path / "data/photos")
    repo_copy.run_dvc("checkout", ["data/photos"])
    assert before == {p.relative_to(repo_copy.path) for p in list_photos(repo_copy)}
    assert len(before) == 2 * len(names)


def test_make_repro_refuses_a_wrong_source_before_dvc_deletes_the_photos(repo_copy):
    params = {"fetch.source": "folder", "fetch.path": "gone"}
    repo_copy.set_params(**params)
    done = repo_copy.run("python", "-m", "stages.support.repro", check=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("repro: ") and "/gone" in line
    assert list_photos(repo_copy)
    assert "dvc checkout" in repo_copy.expect_refusal("fetch", **params)


def test_a_source_that_dvc_would_not_read_is_not_checked(workdir):
    workdir.set_params(**{"fetch.source": "folder", "fetch.path": "gone"})
    stages = (workdir.path / "dvc.yaml").read_text()
    frozen = stages.replace("stages.fetch\n", "stages.fetch\n    frozen: true\n")
    lock = (workdir.path / "dvc.lock").read_text()
    with contextlib.chdir(workdir.path):
        with pytest.raises(BadInput, match="gone"):
            check_before_run()
        (workdir.path / "dvc.yaml").write_text(frozen)
        check_before_run()
        (workdir.path / "dvc.yaml").write_text(stages)
        lock = lock.replace("source: synthetic", "source: folder")
        (workdir.path / "dvc.lock").write_text(lock.replace("path:\n", "path: gone\n"))
        check_before_run()
