"""Demands on the model folder: found, written, verified, and refused where it is another."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from flowers import model_folder
from flowers.card import FORM, LIBRARIES
from flowers.errors import BadInput
from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.saved import save
from tests.flowers.learning.estimator_data import CLASSES
from tests.flowers.model_evidence import EVIDENCE
from tests.flowers.photos.photo_files import encoded, picture

SIZE = 16
GOLDEN = {
    "1-Lotus.jpg": encoded(picture(), "JPEG"),
    "2-Tulip.png": encoded(picture(30, 60), "PNG"),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a model, and its card."""
    place = tmp_path_factory.mktemp("models")
    X = np.random.default_rng(0).integers(0, 256, (50, 3 * SIZE**2), dtype=np.uint8)
    save(CalibratedNB(folds=2).fit(X, np.tile(CLASSES, 10)), place / "nb.joblib")
    preparation = {"features": ["pixels"], "size": SIZE}
    reference = [{"row": 0, "label": "Lotus"}]
    folder = place / "candidate"
    evidence = EVIDENCE
    return folder, model_folder.write(
        folder, place / "nb.joblib", preparation, GOLDEN, reference, evidence
    )


@pytest.fixture
def folder(written, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(written[0], tmp_path / "models" / "candidate")


def altered(folder, **facts):
    card = json.loads((folder / "card.json").read_text()) | facts
    (folder / "card.json").write_text(json.dumps(card))


def test_the_card_names_the_model_by_its_bytes_and_what_a_server_needs(written):
    folder, card = written
    content = (folder / card["model"]["file"]).read_bytes()
    assert card["form"] == FORM
    assert card["model"]["bytes"] == len(content)
    assert card["model"]["md5"] == hashlib.md5(content).hexdigest()
    assert card["model"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["classes"] == CLASSES.tolist()
    assert (card["features"], card["size"]) == (["pixels"], SIZE)
    assert set(card["versions"]) == {"python", *LIBRARIES}
    assert card["metrics"] == EVIDENCE["metrics"]
    assert json.loads((folder / "card.json").read_text()) == card


def test_a_loaded_model_gives_its_golden_answers(written):
    model = model_folder.load(written[0])
    assert [entry["file"] for entry in model.card["golden"]] == list(GOLDEN)
    assert model_folder.golden_difference(model, written[0]) == 0
    answer = model.answer(GOLDEN["1-Lotus.jpg"])
    assert answer.label == model.classes[int(answer.probabilities.argmax())]
    assert answer.probabilities.sum() == pytest.approx(1)
    assert (model.version, model.used) == ("untagged", "candidate")


def test_another_golden_answer_is_a_difference(folder):
    card = json.loads((folder / "card.json").read_text())
    card["golden"][0]["probabilities"] = [1.0, 0.0, 0.0, 0.0, 0.0]
    altered(folder, golden=card["golden"])
    assert model_folder.golden_difference(model_folder.load(folder), folder) > 0.01


def test_an_origin_makes_it_a_production_model_of_its_version(folder):
    (folder / "origin.json").write_text(json.dumps({"version": "v1.2.0"}))
    model = model_folder.load(folder)
    assert (model.version, model.used) == ("v1.2.0", "production")


def test_production_is_found_before_the_candidate_and_a_named_folder_before_both(folder):
    models = folder.parent
    assert model_folder.find(models) == folder
    shutil.copytree(folder, models / "production")
    assert model_folder.find(models) == models / "production"
    assert model_folder.find(models, "elsewhere").name == "elsewhere"


def test_a_production_folder_without_a_card_never_becomes_the_candidate(folder):
    (folder.parent / "production").mkdir()
    with pytest.raises(BadInput, match="production"):
        model_folder.find(folder.parent)


def test_no_model_at_all_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no model"):
        model_folder.find(tmp_path)


def test_a_changed_byte_is_refused(folder):
    with (folder / "model.joblib").open("ab") as file:
        file.write(b".")
    with pytest.raises(BadInput, match="md5"):
        model_folder.load(folder)


@pytest.mark.parametrize("missing", ["card.json", "model.joblib"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    with pytest.raises(BadInput, match=missing):
        model_folder.load(folder)


def test_a_folder_of_the_form_before_is_refused_with_what_to_do(folder):
    card = json.loads((folder / "card.json").read_text())
    del card["form"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(BadInput, match="dvc repro") as refused:
        model_folder.load(folder)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{oops", "[]", "7", "null", "{}", "[" * 100_000, "\udcff"])
@pytest.mark.parametrize("name", ["card.json", "origin.json"])
def test_what_is_no_card_or_origin_is_refused_by_name(folder, name, text):
    (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=name):
        model_folder.load(folder)


@pytest.mark.parametrize(
    "facts",
    [
        {"classes": []},
        {"classes": ["a", "a"]},
        {"classes": None},
        {"features": "pixels"},
        {"size": "16"},
        {"model": {}},
        {"model": {"file": "../model.joblib", "md5": "0", "sha256": "0"}},
        {"golden": [{"file": "/etc/passwd", "probabilities": [0.5, 0.5]}]},
        {"golden": [{"file": "a.jpg", "probabilities": [2]}]},
    ],
)
def test_a_card_that_is_not_of_its_form_is_refused(folder, facts):
    altered(folder, **facts)
    with pytest.raises(BadInput, match="card.json"):
        model_folder.load(folder)


def test_a_person_can_read_what_the_model_is_and_how_good(folder):
    text = (folder / "README.md").read_text()
    for name in CLASSES:
        assert f"| {name} | 2 | 0.500 | 0.250 | 0.333 |" in text
    assert "| accuracy on 10 held-out photos (9 distinct) | 0.500 |" in text
    assert "learnt from 40 photos" in text and "nb leads" in text
