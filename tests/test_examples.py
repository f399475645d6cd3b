"""The examples in docstrings and documentation run as written, beside a small model."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

from flowers.features.extraction import extract_features
from flowers.images.decoding import load_pixels
from flowers.learning.persistence import save_model
from flowers.learning.svm import GramSVC
from flowers.model.folder import write_model_folder
from flowers.synthetic.collection import generate_images
from tests.flowers.model.run_summary import RUN_SUMMARY

ROOT = Path(__file__).parents[1]
FILES = [
    path.relative_to(ROOT)
    for path in sorted([*ROOT.glob("flowers/**/*.py"), *ROOT.glob("docs/*.md")])
    if ">>> " in path.read_text()
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A directory with data/photos and models/candidate, as after make repro."""
    root = tmp_path_factory.mktemp("examples")
    pixels = []
    labels = []
    for name, data in generate_images(per_class=6, wrong_labels=0, n_jobs=1):
        path = root / "data/photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if path.stem.isdecimal():  # not one of the malformed files
            pixels.append(load_pixels(data, 64)[0])
            labels.append(path.parent.name)
    preprocessing = {"features": ["hog", "colour"], "size": 64}
    X = extract_features(np.stack(pixels), preprocessing["features"])
    save_model(GramSVC(folds=2).fit(X, np.array(labels)), root / "svm.joblib")
    golden = {"0.jpg": (root / "data/photos/Tulip/0001.jpg").read_bytes()}
    folder = root / "models/candidate"
    write_model_folder(
        folder, root / "svm.joblib", preprocessing, golden, [{"row": 0}], RUN_SUMMARY
    )
    return root


@pytest.mark.parametrize("path", FILES, ids=str)
def test_examples_run_as_written(path, directory, monkeypatch):
    monkeypatch.chdir(directory)
    if path.suffix == ".py":
        module = importlib.import_module(".".join(path.with_suffix("").parts))
        result = doctest.testmod(module, optionflags=OPTIONS)
    else:
        result = doctest.testfile(str(ROOT / path), module_relative=False, optionflags=OPTIONS)
    assert result.attempted > 0 and result.failed == 0
