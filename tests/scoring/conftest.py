"""A tiny model trained on synthetic photos, and a server that serves it."""

import io
import json
import shutil

import numpy as np
import pytest

from flowers.features.extraction import extract_features
from flowers.images.decoding import load_pixels
from flowers.learning.svm import GramSVC
from flowers.model.typicality import fit_typicality
from flowers.synthetic.picture import SPECIES, draw_photo
from tests.scoring.server.service import run_server, write_model

SIZE = 32


@pytest.fixture(scope="session")
def photos():
    """Synthetic photos by file name, four of each species."""
    contents = {}
    for number, species in enumerate(SPECIES):
        for take in range(4):
            buffer = io.BytesIO()
            draw_photo(species, np.random.default_rng([number, take])).save(buffer, "JPEG")
            contents[f"{species}-{take}.jpg"] = buffer.getvalue()
    return contents


@pytest.fixture(scope="session")
def candidate(photos, tmp_path_factory):
    """A model folder like models/candidate."""
    images = np.stack([load_pixels(photo, SIZE)[0] for photo in photos.values()])
    labels = [name.partition("-")[0] for name in photos]
    features = extract_features(images, ["pixels"])
    model = GramSVC(folds=2).fit(features, labels)
    typicality = fit_typicality(features, np.full(len(features), True))
    golden = dict(list(photos.items())[::4])
    folder = tmp_path_factory.mktemp("model") / "candidate"
    return write_model(folder, model, golden, SIZE, typicality)


@pytest.fixture(scope="session")
def classes(candidate):
    return json.loads((candidate / "card.json").read_text())["classes"]


@pytest.fixture
def place(candidate, tmp_path):
    """A working directory with a candidate in it."""
    shutil.copytree(candidate, tmp_path / "models" / "candidate")
    return tmp_path


@pytest.fixture(scope="session")
def service(candidate, tmp_path_factory):
    """A server for tests that do not change it."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(candidate, folder / "models" / "candidate")
    with run_server(folder, MAX_UPLOAD_MB="2", MAX_FILES="4") as scorer:
        yield scorer


@pytest.fixture(scope="session", name="photo")
def get_photo(photos):
    return photos["Lotus-0.jpg"]
