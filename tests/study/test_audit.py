"""The audit of a data set with planted leaks, copies, label conflicts and unreadable files."""

import io
import re
import shutil
from functools import partial

import numpy as np
import pytest
from PIL import Image

from flowers.base.tables import read_json
from scoring import cli
from study.repository import ROOT
from tests.browser import LOW_CONTRAST, PHONE, launch_browser, needs_browser, playwright

main = partial(cli.call_command, cli.audit, "python -m study.audit")


def make_photo(seed, quality=90):
    """A picture of 6x6 soft cells as a JPEG."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(cells).resize((64, 64), Image.Resampling.BICUBIC).save(
        stream, "JPEG", quality=quality
    )
    return stream.getvalue()


def write_files(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    """Photos of two classes; files of train and test have the same names."""
    files = {}
    for k in range(20):
        label = ("rusty bolt", "washer")[k % 2]
        part = "test" if k >= 12 else "train"
        files[f"parts/{part}/{label}/{k % 12}.jpg"] = make_photo(k)
    files["parts/test/washer/5.jpg"] = make_photo(5, quality=60)  # a near-duplicate in train
    files["parts/test/rusty bolt/4.jpg"] = make_photo(4)  # an exact copy in train
    files["parts/train/washer/2.jpg"] = make_photo(2, quality=60)  # of a rusty bolt in train
    files["parts/train/washer/broken.jpg"] = make_photo(99)[:400]
    files["parts/train/washer/notes.txt"] = b"no photo"
    return write_files(tmp_path_factory.mktemp("data_set"), files)


@pytest.fixture(scope="module")
def audit(data_set, tmp_path_factory):
    """The folder of the results."""
    folder = tmp_path_factory.mktemp("audit")
    before = sorted(path.name for path in ROOT.iterdir())
    main([str(data_set), "--folder", str(folder)])
    assert sorted(path.name for path in folder.iterdir()) == ["audit.html", "audit.json"]
    assert sorted(path.name for path in ROOT.iterdir()) == before
    return folder


def test_planted_leaks_are_found_by_their_paths_in_the_source(audit):
    figures = read_json(audit / "audit.json")
    leaked = {(row["test"], row["train"]) for row in figures["leaked"]}
    assert leaked == {
        (f"parts/test/{name}", f"parts/train/{name}")
        for name in ("rusty bolt/4.jpg", "washer/5.jpg")
    }
    assert figures["splits"]["given"] == {"test": 8, "leaked_test_photos": 2, "share": 0.25}
    assert figures["between_parts"]["test"] == {"photos": 8, "train": 2}


def test_copies_conflicts_and_rejected_files_are_listed(audit):
    figures = read_json(audit / "audit.json")
    assert figures["copies"] == [["parts/test/rusty bolt/4.jpg", "parts/train/rusty bolt/4.jpg"]]
    copies = {"pictures": 1, "photos": 2, "across_parts": 1, "across_classes": 0}
    assert figures["exact_copies"] == copies
    (conflict,) = figures["conflicts"]
    assert {photo["photo"]: photo["label"] for photo in conflict} == {
        "parts/train/rusty bolt/2.jpg": "rusty bolt",
        "parts/train/washer/2.jpg": "washer",
    }
    rejected = {row["path"]: row["reason"] for row in figures["rejected"]}
    assert set(rejected) == {"parts/train/washer/broken.jpg", "parts/train/washer/notes.txt"}
    assert figures["classes"]["washer"] == {"photos": 11, "train": 7, "test": 4}
    pairs = figures["near_duplicates"]
    assert pairs["pairs"] == pairs["photos"] / 2 == pairs["groups"] == 3
    assert pairs["within_part_across_classes"] == 1 and pairs["across_parts_within_class"] == 2


def test_the_page_shows_the_share_and_embeds_its_sheets(audit):
    page = (audit / "audit.html").read_text()
    assert "25.0\N{NO-BREAK SPACE}% of the test" in page and "parts/train/washer/broken.jpg" in page
    assert page.count("data:image/jpeg;base64,") == page.count("<img ") == 2
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_a_data_set_without_a_split_gets_the_leakage_of_a_random_one(data_set, tmp_path, capsys):
    source = tmp_path / "photos"
    for k, path in enumerate(sorted(data_set.glob("parts/*/*/*.jpg"))):
        (source / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, source / path.parent.name / f"{k}.jpg")
    archive = shutil.make_archive(tmp_path / "photos", "zip", source)
    main([archive, "--folder", str(tmp_path / "audit")])
    figures = read_json(tmp_path / "audit" / "audit.json")
    assert figures["splits"]["given"] is None and figures["leaked"] == []
    random = figures["splits"]["random"]
    assert f"a random split: {random['leaked_test_photos']} of {random['test']} test photos" in (
        capsys.readouterr().out
    )
    assert figures["copies"] == [["rusty bolt/11.jpg", "rusty bolt/2.jpg"]]
    assert "has no split of its own" in (tmp_path / "audit" / "audit.html").read_text()


def test_an_unusable_source_is_one_line(tmp_path):
    (tmp_path / "photos").mkdir()
    for source in (tmp_path / "photos", tmp_path / "missing.zip"):
        with pytest.raises(SystemExit) as stopped:
            main([str(source), "--folder", str(tmp_path / "audit")])
        (line,) = stopped.value.code.splitlines()
        assert line.startswith("audit: ") and source.name in line
    assert not any((tmp_path / "audit").iterdir())


@pytest.mark.slow
@needs_browser
def test_the_page_is_readable_on_a_phone(audit):
    with playwright.sync_playwright() as run, launch_browser(run) as browser:
        page = browser.new_page(color_scheme="dark", **PHONE)
        page.goto((audit / "audit.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(LOW_CONTRAST) == []
