"""A wrong source is refused before anything is read from it."""

import os
import zipfile

import pytest

from flowers.base.errors import BadInput
from flowers.sources.choice import check_source, open_source
from tests.flowers.sources.test_folders import write_tree

PARAMS = {"source": "folder", "path": None, "sha256": None, "ignore": []}


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder "photos", an archive "photos.zip" and a text "notes.txt" in the home folder."""
    write_tree(tmp_path, "photos/Rose/1.jpg", "photos/Iris/1.jpg", "photos/test/x/1.jpg")
    write_tree(tmp_path, "notes.txt")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in (tmp_path / "photos").rglob("*.jpg"):
            archive.write(path, path.relative_to(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"path": "gone"}, "gone is not a folder"),
        ({"path": "photos.zip"}, "photos.zip is not a folder"),
        ({"path": "photos"}, "at another depth in 'test/x'"),
        ({"path": "photos", "ignore": ["tset"]}, "no 'tset'"),
        ({"source": "archive", "path": "gone.zip"}, "gone.zip does not exist"),
        ({"source": "archive", "path": "photos"}, "photos is a folder: set fetch.source"),
        ({"source": "archive", "path": "notes.txt"}, "notes.txt .*no zip or tar"),
        ({"source": "archive", "path": "photos.zip", "sha256": "0" * 64}, "expected 000"),
        ({"source": "archive", "path": "s3://bucket/photos.zip"}, "scheme s3"),
    ],
)
def test_a_wrong_source_is_refused_by_name(sources, params, message):
    params = PARAMS | params
    if ":" not in params["path"]:
        params["path"] = str(sources / params["path"])
    with pytest.raises(BadInput, match=message) as caught:
        check_source(params)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("path", ["photos", "photos.zip"])
def test_a_source_that_passes_is_read(sources, path):
    kind = "archive" if path.endswith("zip") else "folder"
    params = PARAMS | {"source": kind, "path": f"~/{path}", "ignore": ["test"]}
    check_source(params)
    files = list(open_source(params, sources / "cache")[0])
    assert [(file.label, file.name) for file in files] == [("Iris", "1.jpg"), ("Rose", "1.jpg")]


def test_an_address_and_synthetic_images_are_not_visited():
    check_source(PARAMS | {"source": "archive", "path": "HTTP://127.0.0.1:1/photos.zip"})
    check_source(PARAMS | {"source": "synthetic"})


def test_a_pipe_as_archive_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    params = PARAMS | {"source": "archive", "path": str(tmp_path / "a.zip")}
    for function in (check_source, lambda params: list(open_source(params, tmp_path / "cache")[0])):
        with pytest.raises(BadInput, match=r"a\.zip is not a file"):
            function(params)
